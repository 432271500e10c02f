// How a file's orders come from Python: columns in, whole batches at a time.
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bindings/bindings.h"
#include "client/errors.h"
#include "client/load_client.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace cluster {
namespace {

template <class T>
using Column = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

/// Texts as Arrow has them: the i-th is bytes[offsets[i], offsets[i + 1]).
struct Texts {
    Column<std::int64_t> offsets;
    Column<std::uint8_t> bytes;

    bool holds(std::size_t count) const {
        if (offsets.size() != count + 1) return false;
        for (std::size_t i = 0; i < count; ++i) {
            if (offsets.data()[i] < 0 || offsets.data()[i] > offsets.data()[i + 1]) return false;
        }
        return static_cast<std::uint64_t>(offsets.data()[count]) <= bytes.size();
    }
    std::uint64_t hash(std::size_t i) const {
        const std::int64_t from = offsets.data()[i];
        return stable_hash({reinterpret_cast<const char*>(bytes.data()) + from,
                            static_cast<std::size_t>(offsets.data()[i + 1] - from)});
    }
};

constexpr auto kNew = static_cast<std::uint8_t>(Action::kNew);
/// As cluster/fleet/replay_file.py has it: a replace or cancel that says no side.
constexpr std::uint8_t kSideOfOrder = 2;

std::optional<OrderSide> side_of(std::uint8_t code) noexcept {
    if (code == kSideOfOrder) return std::nullopt;
    return static_cast<OrderSide>(code);
}

bool feed(LoadClient& client, const std::vector<std::string>& new_symbols,
          const std::vector<std::uint32_t>& new_numbers, const Column<std::int64_t>& time_ns,
          const Column<std::uint32_t>& symbol, const Column<std::int64_t>& price_ticks,
          const Column<std::uint32_t>& quantity, const Column<std::uint8_t>& action,
          const Column<std::uint8_t>& kind, const Column<std::uint8_t>& side,
          const Column<std::int64_t>& id_offsets, const Column<std::uint8_t>& id_bytes,
          const Column<std::int64_t>& reference_offsets,
          const Column<std::uint8_t>& reference_bytes) {
    const nb::gil_scoped_release without_gil;
    const std::size_t count = time_ns.size();
    const Texts ids{id_offsets, id_bytes};
    const Texts references{reference_offsets, reference_bytes};
    for (const std::size_t size : {symbol.size(), price_ticks.size(), quantity.size(),
                                   action.size(), kind.size(), side.size()}) {
        if (size != count) throw LoadError("replay: the columns differ in length");
    }
    if (!ids.holds(count) || !references.holds(count) || new_symbols.size() != new_numbers.size()) {
        throw LoadError("replay: the columns differ in length");
    }
    ReplayBatch batch;
    for (std::size_t i = 0; i < new_symbols.size(); ++i) {
        batch.new_symbols.push_back({new_symbols[i], new_numbers[i]});
    }
    batch.rows.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        if (action.data()[i] > static_cast<std::uint8_t>(Action::kCancel) ||
            kind.data()[i] > static_cast<std::uint8_t>(OrderKind::kImmediateOrCancel) ||
            side.data()[i] > kSideOfOrder ||
            (side.data()[i] == kSideOfOrder && action.data()[i] == kNew)) {
            throw LoadError("replay: an action, kind or side does not exist");
        }
        batch.rows.push_back({time_ns.data()[i], price_ticks.data()[i], ids.hash(i),
                              references.hash(i), quantity.data()[i], symbol.data()[i],
                              static_cast<Action>(action.data()[i]),
                              static_cast<OrderKind>(kind.data()[i]), side_of(side.data()[i])});
    }
    return client.replay().offer(std::move(batch));
}

}  // namespace

void bind_replay_types(nb::module_& module) {
    nb::class_<ReplayConfig>(
        module, "ReplayConfig",
        "Orders come from a file; native/client/replay_config.h explains each.")
        .def(
            "__init__",
            [](ReplayConfig* self, double speed, double rate_per_s, std::uint32_t agents,
               std::uint32_t symbols_max, std::uint32_t living_orders_max) {
                new (self) ReplayConfig{speed, rate_per_s, agents, symbols_max, living_orders_max};
            },
            nb::kw_only(), "speed"_a, "rate_per_s"_a, "agents"_a, "symbols_max"_a,
            "living_orders_max"_a);
    nb::class_<ReplayState>(module, "ReplayState", "How far the file has been read.")
        .def_ro("rows", &ReplayState::rows, "Of all agents; every pass counts.")
        .def_ro("unknown_references", &ReplayState::unknown_references,
                "Skipped rows of this agent.")
        .def_ro("ended", &ReplayState::ended, "The file has no further order.")
        .def_ro("end_ns", &ReplayState::end_ns,
                "Once ended: when another order would be due, ns after the start; 0 when closed.")
        .def_ro("error", &ReplayState::error, "Why the file could not be read on.");
}

void bind_replay_calls(nb::class_<LoadClient>& client) {
    const nb::call_guard<nb::gil_scoped_release> without_gil;
    client
        .def(
            "replay_feed", &feed, nb::kw_only(), "new_symbols"_a, "new_numbers"_a, "time_ns"_a,
            "symbol"_a, "price_ticks"_a, "quantity"_a, "action"_a, "kind"_a, "side"_a,
            "id_offsets"_a, "id_bytes"_a, "reference_offsets"_a, "reference_bytes"_a,
            "Hand over rows of the file, in its order; `symbol` indexes the symbols named so far.\n"
            "Waits while enough batches are held. False: no more is wanted.")
        .def(
            "replay_end_pass",
            [](LoadClient& self, bool again) { return self.replay().end_pass(again); }, "again"_a,
            without_gil,
            "The file is at its end; `again`: its rows come once more. False: no more is wanted.")
        .def(
            "replay_fail",
            [](LoadClient& self, const std::string& why) { self.replay().fail(why); }, "why"_a,
            without_gil, "The file can't be read on; what came before is still sent.")
        .def(
            "replay_await",
            [](LoadClient& self, std::int64_t timeout_ns) {
                return self.replay().await_prefilled(timeout_ns);
            },
            "timeout_ns"_a, without_gil,
            "Wait until enough orders are there to start; False: not in time. Raises LoadError\n"
            "when the reader has failed.")
        .def(
            "replay_state", [](LoadClient& self) { return self.replay().state(); },
            "How far the file has been read.")
        .def(
            "replay_symbols",
            [](LoadClient& self) {
                const ReplaySymbols& symbols = self.replay().symbols();
                nb::list texts;
                for (std::size_t i = 0; i < symbols.size(); ++i) {
                    texts.append(nb::make_tuple(symbols[i].number, symbols[i].text));
                }
                return texts;
            },
            nb::sig("def replay_symbols(self) -> list[tuple[int, str]]"),
            "Number and text of every symbol named so far.");
}

}  // namespace cluster
