#include "client/load_client.h"

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>

#include "client/burst_arrivals.h"
#include "client/connector.h"
#include "client/errors.h"
#include "client/hawkes_arrivals.h"
#include "client/logon.h"
#include "client/shares.h"
#include "client/tcp_network.h"
#include "client/time_stamps.h"
#include "client/worker.h"
#include "protocol/orderwire_plan.h"
#include "protocol/plan_reader.h"

namespace cluster {
namespace {

constexpr auto kCollectEvery = std::chrono::milliseconds(5);
// A worker sees a stop a little later: what is due by then is still its.
constexpr std::int64_t kStopIsSeenNs = 10 * kNsPerMs;

Random stream_of(const LoadConfig& config, std::uint32_t worker) {
    return Random(config.seed, config.agent, worker);
}

/// One worker's share of `rate_per_s` of all.
ConstantArrivals constant(const LoadConfig& config, double rate_per_s, std::uint32_t worker,
                          std::int64_t start_ns) {
    return {rate_per_s, config.phase, worker, config.workers, start_ns};
}

PoissonArrivals poisson(const LoadConfig& config, double rate_per_s, std::uint32_t worker,
                        std::int64_t start_ns) {
    return {rate_per_s / config.workers, stream_of(config, worker), start_ns};
}

HawkesArrivals hawkes(const LoadConfig& config, std::uint32_t worker, std::int64_t start_ns) {
    return {config.rate_per_s / config.workers, config.hawkes.branching_ratio,
            static_cast<double>(config.hawkes.decay_ns), stream_of(config, worker), start_ns};
}

template <class Within>
BurstArrivals<Within> bursts(const BurstConfig& config, Within within, std::int64_t start_ns) {
    return {within, config.on_ns, config.off_ns, start_ns};
}

template <class W>
class TypedWorker final : public LoadClient::AnyWorker {
public:
    template <class... Arguments>
    explicit TypedWorker(Arguments&&... arguments)
        : worker_(std::forward<Arguments>(arguments)...) {}
    void run() noexcept override { worker_.run(); }

private:
    W worker_;
};

// Flows take memory, so many connections share some: ids and targets are per connection, two
// connections may send the same requests. Together they hold half a million requests (12 MB).
constexpr std::uint32_t kFlowsMax = 128;
constexpr std::uint32_t kFlowRequests = 1U << 19;
constexpr std::uint32_t kFlowLengthMax = 1U << 16;
// What a file enters on one connection is not known ahead; beyond, fewer moot requests are found.
constexpr std::uint32_t kReplayedLivingMax = 1U << 15;

std::vector<std::vector<Intent>> make_flows(const LoadConfig& config) try {
    if (config.replay) return {{}};  // the orders come from a file
    const std::uint32_t count = std::min(config.connections, kFlowsMax);
    const std::uint32_t length = std::min(kFlowLengthMax, kFlowRequests / count);
    std::vector<std::vector<Intent>> flows;
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint64_t connection = (std::uint64_t{config.agent} << 32) | i;
        flows.push_back(make_flow(config.flow, connection, length));
    }
    return flows;
} catch (const std::invalid_argument& impossible) {
    throw LoadError(std::string("order flow: ") + impossible.what());
}

/// How many orders of a connection may be in the book at once, as far as that is known.
std::uint32_t living_orders_max(const LoadConfig& config) {
    if (!config.replay) return config.flow.live_orders_max;
    return std::min(config.replay->living_orders_max, kReplayedLivingMax);
}

std::unique_ptr<protocol::Plan> plan_of(const LoadConfig& config) try {
    return std::make_unique<protocol::Plan>(protocol::read_plan(
        config.wire.plan.empty() ? protocol::kOrderwirePlan : config.wire.plan));
} catch (const protocol::PlanError& error) {
    throw LoadError(error.what());
}

/// Texts that only a file brings would be sent as padding.
void require_symbols(const protocol::Plan& plan) {
    for (const protocol::Table& table : plan.tables) {
        if (table.awaits_symbols) throw LoadError("plan: takes its symbols from a file to replay");
    }
}

/// An order that the flow makes and the protocol can't say would be sent as nothing.
void require_sendable(const protocol::Plan& plan, const std::vector<std::vector<Intent>>& flows) {
    for (const std::vector<Intent>& flow : flows) {
        for (const Intent& intent : flow) {
            const auto variant = protocol::variant_of(static_cast<unsigned>(intent.action),
                                                      static_cast<unsigned>(intent.kind),
                                                      static_cast<unsigned>(intent.side));
            if (plan.sends[variant] == protocol::kNone) {
                throw LoadError("order flow: asks for a message that the protocol has not");
            }
        }
    }
}

}  // namespace

LoadClient::LoadClient(LoadConfig config) : config_(std::move(config)) {
    require_possible(config_);
    plan_ = plan_of(config_);
    for (std::uint32_t i = 0; i < config_.workers; ++i) {
        shared_.push_back(std::make_unique<WorkerShared>());
    }
    if (config_.replay) {
        feeder_ = std::make_unique<ReplayFeeder>(config_, *plan_);
    } else {
        require_symbols(*plan_);
    }
}

LoadClient::~LoadClient() {
    close();
}

std::uint32_t LoadClient::connect(std::int64_t timeout_ns) {
    if (!sockets_.empty()) throw LoadError("connect: the connections are open already");
    flows_ = make_flows(config_);
    require_sendable(*plan_, flows_);
    sockets_ = open_connections(config_.address, config_.port, config_.connections, timeout_ns);
    codecs_ = make_codecs();
    try {
        received_ = log_on(sockets_, codecs_, config_.address + ":" + std::to_string(config_.port));
    } catch (const LoadError&) {
        sockets_.clear();
        throw;
    }
    jitter_.begin();
    return static_cast<std::uint32_t>(sockets_.size());
}

std::vector<WireCodec> LoadClient::make_codecs() const {
    std::vector<WireCodec> codecs;
    codecs.reserve(config_.connections);
    for (std::uint32_t i = 0; i < config_.connections; ++i) {
        const std::uint32_t client = config_.wire.first_client + i;
        const Identity identity{config_.wire.first_id + client * config_.wire.ids_per_connection,
                                client};
        // The orders' streams are those of workers; these are told apart by their seed.
        codecs.emplace_back(*plan_, Random(mixed(config_.flow.seed), config_.agent, i), identity);
        for (std::uint16_t text = 0; text < plan_->texts.size(); ++text) {
            for (const auto& [name, value] : config_.wire.secrets) {
                if (plan_->texts[text] == "secret." + name) {
                    codecs.back().keep(text, std::as_bytes(std::span(value)));
                }
            }
        }
    }
    return codecs;
}

void LoadClient::start_at(std::int64_t start_ns) {
    const std::lock_guard life(life_);
    if (sockets_.empty()) throw LoadError("start_at: connect first");
    if (!workers_.empty()) throw LoadError("start_at: the load has been started already");
    start_ns_.store(start_ns, std::memory_order_relaxed);
    for (std::uint32_t i = 0; i < config_.workers; ++i) {
        workers_.push_back(make_worker(i, start_ns));
    }
    jitter_.start_at(start_ns, start_ns + config_.duration_ns);
    renew_lease(std::max(start_ns, MonotonicClock::now_ns()));
    for (std::uint32_t i = 0; i < config_.workers; ++i) {
        threads_.emplace_back([this, i] { run_worker(i); });
    }
    collector_ = std::thread([this] { collect_until_finished(); });
    try {
        pin_workers();
    } catch (const LoadError&) {
        end();
        throw;
    }
    for (const auto& shared : shared_) shared->thread_id.wait(0);
}

std::unique_ptr<LoadClient::AnyWorker> LoadClient::make_worker(std::uint32_t worker,
                                                               std::int64_t start_ns) {
    if (feeder_) {
        ReplaySource& source = feeder_->source(worker);
        if (config_.arrivals == ArrivalLaw::kClosed) {
            return make_worker_with(ReplaySchedule<true>(source, start_ns), worker, start_ns);
        }
        return make_worker_with(ReplaySchedule<false>(source, start_ns), worker, start_ns);
    }
    switch (config_.arrivals) {
        case ArrivalLaw::kConstant:
            return make_worker_with(constant(config_, config_.rate_per_s, worker, start_ns), worker,
                                    start_ns);
        case ArrivalLaw::kPoisson:
            return make_worker_with(poisson(config_, config_.rate_per_s, worker, start_ns), worker,
                                    start_ns);
        case ArrivalLaw::kHawkes:
            return make_worker_with(hawkes(config_, worker, start_ns), worker, start_ns);
        case ArrivalLaw::kBursts: {
            const BurstConfig& on_off = config_.bursts;
            const double rate_per_s = on_off.rate_within(config_.rate_per_s);
            if (on_off.within == ArrivalLaw::kConstant) {
                return make_worker_with(
                    bursts(on_off, constant(config_, rate_per_s, worker, 0), start_ns), worker,
                    start_ns);
            }
            return make_worker_with(
                bursts(on_off, poisson(config_, rate_per_s, worker, 0), start_ns), worker,
                start_ns);
        }
        case ArrivalLaw::kRecorded:
        case ArrivalLaw::kClosed: break;
    }
    return make_worker_with(ClosedLoop{}, worker, start_ns);
}

template <class Schedule>
std::unique_ptr<LoadClient::AnyWorker> LoadClient::make_worker_with(Schedule schedule,
                                                                    std::uint32_t worker,
                                                                    std::int64_t start_ns) {
    using TypedLoad = Worker<MonotonicClock, TcpNetwork, WireCodec, Schedule>;
    using Connections = typename TypedLoad::Connections;
    const std::uint32_t total = Schedule::kClosedLoop ? config_.in_flight : config_.in_flight_max;
    const std::uint32_t in_flight = share(total, config_.workers, worker);
    const std::uint32_t first = share_begin(config_.connections, config_.workers, worker);
    const std::uint32_t count = share(config_.connections, config_.workers, worker);
    // Rounded up, so that no connection is without a place; the worker's bound still holds.
    const std::uint32_t limit = (in_flight + count - 1) / count;

    std::vector<int> fds;
    std::vector<typename Connections::Member> connections;
    connections.reserve(count);
    for (std::uint32_t i = first; i < first + count; ++i) {
        fds.push_back(sockets_[i].get());
        connections.emplace_back(
            TcpSocket(fds.back()), codecs_[i], flows_[i % flows_.size()],
            ConnectionPlan{limit, config_.timeout_ns, living_orders_max(config_),
                           i == first && begin_kernel_times(fds.back())},
            received_[i]);
    }
    const WorkerPlan plan{start_ns,
                          config_.duration_ns,
                          config_.drain_ns,
                          config_.spin,
                          plan_->session.logout_timeout_ns,
                          SampleSlice{config_.sample_width_ns}};
    return std::make_unique<TypedWorker<TypedLoad>>(
        MonotonicClock{}, Connections(EpollPoller(fds), std::move(connections), in_flight),
        schedule, plan, *shared_[worker]);
}

/// The first connection of a worker has some of its orders stamped.
bool LoadClient::begin_kernel_times(int fd) {
    if (!config_.kernel_times) {
        kernel_times_refused_ = "not asked for";
        return false;
    }
    const std::string why_not = begin_time_stamps(fd);
    if (!why_not.empty()) kernel_times_refused_ = why_not;
    return why_not.empty();
}

void LoadClient::run_worker(std::uint32_t worker) noexcept {
    // Sleeps end when asked for, not up to 50 µs later.
    ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    char name[16];
    std::snprintf(name, sizeof name, "load-%u", worker);
    ::pthread_setname_np(::pthread_self(), name);
    shared_[worker]->thread_id.store(::gettid());
    shared_[worker]->thread_id.notify_all();
    workers_[worker]->run();
}

void LoadClient::pin_workers() {
    for (std::size_t i = 0; i < config_.cpus.size(); ++i) {
        const auto cpu = static_cast<std::size_t>(config_.cpus[i]);
        cpu_set_t cpus;
        CPU_ZERO(&cpus);
        if (cpu < CPU_SETSIZE) CPU_SET(cpu, &cpus);
        const int error = ::pthread_setaffinity_np(threads_[i].native_handle(), sizeof cpus, &cpus);
        if (error != 0) {
            throw LoadError::from_errno(
                "pin worker " + std::to_string(i) + " to CPU " + std::to_string(config_.cpus[i]),
                error);
        }
    }
}

Progress LoadClient::progress() {
    Progress total;
    total.now_ns = MonotonicClock::now_ns();
    if (workers_.empty()) {
        total.connections_open = sockets_.size();
    } else {
        for (const auto& shared : shared_) total += shared->progress.read();
        renew_lease(total.now_ns);
    }
    if (lease_expired_.load(std::memory_order_relaxed)) total.errors.add(ErrorKind::kLeaseExpired);
    if (feeder_) {
        total.errors[ErrorKind::kReplayUnknownReference] = feeder_->state().unknown_references;
    }
    const std::lock_guard lock(mutex_);
    total.finished = all_collected_;
    return total;
}

void LoadClient::renew_lease(std::int64_t now_ns) {
    // Before the start the lease is longer, and a call then must not shorten it.
    if (now_ns > lease_from_ns_.load(std::memory_order_relaxed)) {
        lease_from_ns_.store(now_ns, std::memory_order_relaxed);
    }
}

std::vector<Interval> LoadClient::take_intervals() {
    const std::lock_guard lock(mutex_);
    return std::exchange(intervals_, {});
}

std::vector<Activity> LoadClient::take_activity() {
    const std::lock_guard lock(mutex_);
    return std::exchange(activity_, {});
}

std::vector<std::pair<std::string, std::uint64_t>> LoadClient::reject_reasons() const {
    std::map<std::string, std::uint64_t> sum;
    for (const auto& shared : shared_) {
        if (!shared->finished.load(std::memory_order_acquire)) return {};
        for (const auto& [reason, count] : shared->reasons.counts()) sum[reason] += count;
        if (shared->reasons.other() > 0) sum[""] += shared->reasons.other();
    }
    return {sum.begin(), sum.end()};
}

std::vector<pid_t> LoadClient::worker_thread_ids() const {
    std::vector<pid_t> ids;
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        ids.push_back(shared_[i]->thread_id.load(std::memory_order_relaxed));
    }
    return ids;
}

std::int64_t LoadClient::began_ns() const noexcept {
    std::int64_t last_ns = 0;
    for (const auto& shared : shared_) {
        const std::int64_t began_ns = shared->began_ns.load(std::memory_order_relaxed);
        if (began_ns == 0) return 0;
        last_ns = std::max(last_ns, began_ns);
    }
    return last_ns;
}

TcpStats LoadClient::tcp_stats() const {
    return read_tcp_stats(descriptors());
}

std::vector<int> LoadClient::descriptors() const {
    std::vector<int> fds;
    for (const FileDescriptor& socket : sockets_) fds.push_back(socket.get());
    return fds;
}

void LoadClient::end_at(std::int64_t end_ns) {
    if (workers_.empty()) throw LoadError("end_at: the load has not been started");
    // Closed-loop no order has a time: there the workers end alone.
    if (feeder_ && config_.arrivals != ArrivalLaw::kClosed) {
        feeder_->end_by(std::max<std::int64_t>(0, end_ns - start_ns_));
    }
    for (const auto& shared : shared_) {
        std::int64_t current_ns = shared->ends_ns.load(std::memory_order_relaxed);
        while (end_ns < current_ns && !shared->ends_ns.compare_exchange_weak(current_ns, end_ns)) {
        }
    }
    jitter_.end_at(end_ns);
}

void LoadClient::stop() {
    ask_to_stop(StopRequest::kStop);
}

ReplayFeeder& LoadClient::replay() {
    if (!feeder_) throw LoadError("replay: the orders of this load do not come from a file");
    return *feeder_;
}

void LoadClient::ask_to_stop(StopRequest request) {
    if (feeder_ && request == StopRequest::kAbort) feeder_->abort();
    if (feeder_) {
        const std::int64_t start_ns = start_ns_.load(std::memory_order_relaxed);
        const std::int64_t seen_ns = MonotonicClock::now_ns() + kStopIsSeenNs;
        feeder_->end_by(start_ns == 0 ? 0 : std::max<std::int64_t>(0, seen_ns - start_ns));
    }
    jitter_.end_at(MonotonicClock::now_ns());
    for (const auto& shared : shared_) {
        // An abort is never taken back by a later stop.
        auto expected = StopRequest::kNone;
        if (request == StopRequest::kAbort) {
            shared->stop.store(request, std::memory_order_relaxed);
        } else {
            shared->stop.compare_exchange_strong(expected, request, std::memory_order_relaxed);
        }
    }
}

void LoadClient::collect_until_finished() {
    ::pthread_setname_np(::pthread_self(), "load-collector");
    for (bool finished = false; !finished;) {
        // Asked before collecting: what was handed over before the end is then collected too.
        finished = std::all_of(shared_.begin(), shared_.end(), [](const auto& shared) {
            return shared->finished.load(std::memory_order_acquire);
        });
        std::vector<Interval> taken;
        std::vector<Activity> done;
        for (const auto& shared : shared_) {
            shared->intervals.collect(taken);
            shared->activity.collect(done);
        }
        if (finished) jitter_.end_at(MonotonicClock::now_ns());
        const std::int64_t idle_ns =
            MonotonicClock::now_ns() - lease_from_ns_.load(std::memory_order_relaxed);
        if (config_.lease_ns > 0 && idle_ns > config_.lease_ns && !finished &&
            !lease_expired_.exchange(true, std::memory_order_relaxed)) {
            stop();
        }
        std::unique_lock lock(mutex_);
        std::move(taken.begin(), taken.end(), std::back_inserter(intervals_));
        std::move(done.begin(), done.end(), std::back_inserter(activity_));
        all_collected_ = finished;
        if (!finished) changed_.wait_for(lock, kCollectEvery);
    }
    changed_.notify_all();
}

bool LoadClient::join(std::int64_t timeout_ns) {
    if (workers_.empty()) throw LoadError("join: the load has not been started");
    {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, std::chrono::nanoseconds(timeout_ns),
                               [this] { return all_collected_; })) {
            return false;
        }
    }
    const std::lock_guard life(life_);
    join_threads();
    return true;
}

void LoadClient::close() {
    const std::lock_guard life(life_);
    end();
}

void LoadClient::end() {
    ask_to_stop(StopRequest::kAbort);
    join_threads();
    sockets_.clear();
}

void LoadClient::join_threads() {
    for (std::thread& thread : threads_) {
        if (thread.joinable()) thread.join();
    }
    if (collector_.joinable()) collector_.join();
    jitter_.stop();
}

}  // namespace cluster
