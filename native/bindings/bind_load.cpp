// The flow's and the client's keyword arguments and calls.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings/bindings.h"
#include "client/load_client.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace cluster {
namespace {

void bind_flow(nb::module_& module) {
    nb::class_<FlowConfig>(module, "FlowConfig",
                           "Which orders are sent; native/client/order_flow.h explains each.")
        .def(
            "__init__",
            [](FlowConfig* self, std::uint64_t seed, std::uint32_t symbols, double new_ratio,
               double replace_ratio, double cancel_ratio, double ioc_ratio, double market_ratio,
               std::int64_t mid_price_ticks, std::uint32_t spread_ticks, std::uint32_t depth_ticks,
               std::uint32_t quantity_mean, std::uint32_t live_orders_max) {
                new (self) FlowConfig{seed,         symbols,     new_ratio,     replace_ratio,
                                      cancel_ratio, ioc_ratio,   market_ratio,  mid_price_ticks,
                                      spread_ticks, depth_ticks, quantity_mean, live_orders_max};
            },
            nb::kw_only(), "seed"_a = FlowConfig{}.seed, "symbols"_a = FlowConfig{}.symbols,
            "new_ratio"_a = FlowConfig{}.new_ratio, "replace_ratio"_a = FlowConfig{}.replace_ratio,
            "cancel_ratio"_a = FlowConfig{}.cancel_ratio, "ioc_ratio"_a = FlowConfig{}.ioc_ratio,
            "market_ratio"_a = FlowConfig{}.market_ratio,
            "mid_price_ticks"_a = FlowConfig{}.mid_price_ticks,
            "spread_ticks"_a = FlowConfig{}.spread_ticks,
            "depth_ticks"_a = FlowConfig{}.depth_ticks,
            "quantity_mean"_a = FlowConfig{}.quantity_mean,
            "live_orders_max"_a = FlowConfig{}.live_orders_max);
}

void bind_arrivals(nb::module_& module) {
    nb::class_<HawkesConfig>(module, "HawkesConfig",
                             "Self-exciting arrivals; native/client/hawkes_arrivals.h explains.")
        .def(
            "__init__",
            [](HawkesConfig* self, double branching_ratio, std::int64_t decay_ns) {
                new (self) HawkesConfig{branching_ratio, decay_ns};
            },
            nb::kw_only(), "branching_ratio"_a = HawkesConfig{}.branching_ratio,
            "decay_ns"_a = HawkesConfig{}.decay_ns);
    nb::class_<BurstConfig>(module, "BurstConfig",
                            "Arrivals in bursts; native/client/burst_arrivals.h explains.")
        .def(
            "__init__",
            [](BurstConfig* self, std::int64_t on_ns, std::int64_t off_ns,
               const std::string& within) {
                new (self) BurstConfig{on_ns, off_ns, arrival_law_of(within)};
            },
            nb::kw_only(), "on_ns"_a = BurstConfig{}.on_ns, "off_ns"_a = BurstConfig{}.off_ns,
            "within"_a = "poisson");
}

void bind_wire(nb::module_& module) {
    nb::class_<WireConfig>(module, "WireConfig",
                           "How the connections speak, and who each of them is. An empty plan is\n"
                           "orderwire's; native/client/load_config.h explains each.")
        .def(
            "__init__",
            [](WireConfig* self, std::string plan,
               std::vector<std::pair<std::string, std::string>> secrets, std::uint64_t first_id,
               std::uint64_t ids_per_connection, std::uint32_t first_client) {
                new (self) WireConfig{std::move(plan), std::move(secrets), first_id,
                                      ids_per_connection, first_client};
            },
            nb::kw_only(), "plan"_a = "", "secrets"_a = WireConfig{}.secrets,
            "first_id"_a = WireConfig{}.first_id,
            "ids_per_connection"_a = WireConfig{}.ids_per_connection,
            "first_client"_a = WireConfig{}.first_client);
}

void construct(LoadClient* self, std::string address, std::uint16_t port, std::uint32_t connections,
               std::uint32_t workers, const std::string& arrivals, double rate_per_s,
               std::uint32_t in_flight, std::uint32_t in_flight_max, std::int64_t duration_ns,
               std::int64_t timeout_ns, std::int64_t drain_ns, std::int64_t lease_ns,
               std::uint64_t seed, std::uint32_t agent, double phase, std::vector<int> cpus,
               bool spin, bool kernel_times, std::int64_t sample_width_ns, const FlowConfig& flow,
               const HawkesConfig& hawkes, const BurstConfig& bursts, const WireConfig& wire,
               std::optional<ReplayConfig> replay) {
    new (self) LoadClient({.address = std::move(address),
                           .port = port,
                           .connections = connections,
                           .workers = workers,
                           .arrivals = arrival_law_of(arrivals),
                           .hawkes = hawkes,
                           .bursts = bursts,
                           .rate_per_s = rate_per_s,
                           .in_flight = in_flight,
                           .in_flight_max = in_flight_max,
                           .duration_ns = duration_ns,
                           .timeout_ns = timeout_ns,
                           .drain_ns = drain_ns,
                           .lease_ns = lease_ns,
                           .seed = seed,
                           .agent = agent,
                           .phase = phase,
                           .cpus = std::move(cpus),
                           .spin = spin,
                           .kernel_times = kernel_times,
                           .sample_width_ns = sample_width_ns,
                           .flow = flow,
                           .wire = wire,
                           .replay = replay});
}

/// As bytes: what an engine sends need not be text.
std::vector<std::pair<nb::bytes, std::uint64_t>> reject_reasons(const LoadClient& client) {
    std::vector<std::pair<nb::bytes, std::uint64_t>> reasons;
    for (const auto& [reason, count] : client.reject_reasons()) {
        reasons.emplace_back(nb::bytes(reason.data(), reason.size()), count);
    }
    return reasons;
}

void bind_client(nb::module_& module) {
    const nb::call_guard<nb::gil_scoped_release> without_gil;
    nb::class_<LoadClient> client(
        module, "LoadClient",
        "One level of load from this process: native worker threads, each with its own\n"
        "connections. Rates, in_flight and in_flight_max are of all workers together; cpus has\n"
        "one CPU per worker or is empty (not pinned). native/client/load_config.h explains each.\n"
        "Raises LoadError when a value can't be carried out.");
    client
        .def("__init__", &construct, nb::kw_only(), "address"_a, "port"_a, "connections"_a,
             "workers"_a, "arrivals"_a, "rate_per_s"_a, "in_flight"_a, "in_flight_max"_a,
             "duration_ns"_a, "timeout_ns"_a, "drain_ns"_a, "lease_ns"_a, "seed"_a, "agent"_a,
             "phase"_a, "cpus"_a, "spin"_a, "kernel_times"_a = true, "sample_width_ns"_a = 0,
             "flow"_a, "hawkes"_a = HawkesConfig{}, "bursts"_a = BurstConfig{},
             "wire"_a = WireConfig{}, "replay"_a = nb::none())
        .def("connect", &LoadClient::connect, "timeout_ns"_a, without_gil,
             "Open all connections; returns how many. Raises LoadError naming operation, peer\n"
             "and cause.")
        .def("start_at", &LoadClient::start_at, "start_ns"_a, without_gil,
             "Start the worker threads; the schedule's zero is start_ns. Returns once they run.")
        .def("end_at", &LoadClient::end_at, "end_ns"_a, without_gil,
             "End sending at end_ns, earlier than planned: what is due before is still sent, what\n"
             "is due from then on never was. To be called 10 ms ahead at least.")
        .def("progress", &LoadClient::progress, without_gil,
             "Where the load is now; no worker is stopped for it. Renews the lease.")
        .def("take_intervals", &LoadClient::take_intervals, without_gil,
             "Intervals completed since the last call, rising per worker. Seconds in which a\n"
             "worker had no order due are left out.")
        .def("take_activity", &LoadClient::take_activity, without_gil,
             "What the workers did in the seconds over since the last call, rising per worker.")
        .def("jitter", &LoadClient::jitter, without_gil,
             "How late a sleeping thread woke, from the connecting on until sending ended.")
        .def("kernel_times_refused", &LoadClient::kernel_times_refused,
             "Why the kernel stamps none of a worker's sends and receives; '' is: it does.")
        .def("reject_reasons", &reject_reasons,
             "Why orders were rejected, in the engine's own bytes, and how many; b'' is no reason\n"
             "and what came after the first 32. Empty until every worker has ended.")
        .def("worker_thread_ids", &LoadClient::worker_thread_ids,
             "The kernel's ids of the worker threads.")
        .def(
            "began_ns", &LoadClient::began_ns,
            "When the last of the workers was ready for its first order, by this host's clock; 0:\n"
            "not all are.")
        .def("tcp_stats", &LoadClient::tcp_stats,
             "tcp_info of all connections, lost ones included, until close.")
        .def("stop", &LoadClient::stop,
             "End sending now; answers are still awaited for drain_ns. Returns at once.")
        .def("join", &LoadClient::join, "timeout_ns"_a, without_gil,
             "Wait until every worker has ended and every interval can be taken; False: not in\n"
             "time.")
        .def("close", &LoadClient::close, without_gil,
             "End at once: connections are closed, orders in flight are lost. Idempotent.");
    bind_replay_calls(client);
}

}  // namespace

void bind_load(nb::module_& module) {
    bind_wire(module);
    bind_flow(module);
    bind_arrivals(module);
    bind_replay_types(module);
    bind_client(module);
}

}  // namespace cluster
