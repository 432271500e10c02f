#include "client/replay_feeder.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "client/errors.h"
#include "client/shares.h"

namespace cluster {
namespace {

constexpr auto kLook = std::chrono::microseconds(100);
constexpr std::uint32_t kPublishEvery = 64;
constexpr std::int64_t kPrefillNs = 2 * kNsPerS;

}  // namespace

ReplayFeeder::ReplayFeeder(const LoadConfig& config, protocol::Plan& plan)
    : recorded_(config.arrivals == ArrivalLaw::kRecorded),
      closed_(config.arrivals == ArrivalLaw::kClosed),
      agent_(config.agent),
      workers_(config.workers),
      connections_(config.connections),
      symbols_max_(config.replay->symbols_max),
      symbols_(config.replay->symbols_max, config.replay->agents * config.connections),
      wire_symbols_(plan),
      sendable_(plan),
      router_(config.replay->agents * config.connections, config.replay->living_orders_max),
      times_(config),
      until_ns_(config.duration_ns) {
    for (std::uint32_t worker = 0; worker < workers_; ++worker) {
        sources_.push_back(std::make_unique<ReplaySource>());
        for (std::uint32_t i = 0; i < share(connections_, workers_, worker); ++i) {
            worker_of_.push_back(worker);
            member_of_.push_back(i);
        }
    }
    thread_ = std::thread([this] { feed(); });
    ::pthread_setname_np(thread_.native_handle(), "load-feeder");
}

ReplayFeeder::~ReplayFeeder() {
    abort();
    thread_.join();
}

bool ReplayFeeder::offer(ReplayBatch batch) {
    name(batch.new_symbols);
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
        ++rows_offered_;
        if (batch.rows[i].symbol >= numbers_.size()) {
            throw LoadError("replay: a row names no symbol");
        }
        const std::string why = why_not(batch.rows[i]);
        if (why.empty()) continue;
        batch.rows.resize(i);
        hand_over({std::move(batch), false, false, {}});
        throw LoadError("row " + std::to_string(rows_offered_) + ": " + why);
    }
    return hand_over({std::move(batch), false, false, {}});
}

/// From here on a symbol's number is the one in requests.
void ReplayFeeder::name(std::vector<NewSymbol>& symbols) {
    for (NewSymbol& symbol : symbols) {
        const auto index = static_cast<std::uint32_t>(numbers_.size());
        ReplayWireSymbols::Named named = wire_symbols_.name(symbol.text, symbol.number, index);
        // Told only with a row that has it.
        if (!named.why_not.empty()) refused_.emplace(index, std::move(named.why_not));
        symbol.number = named.number;
        numbers_.push_back(named.number);
    }
    if (numbers_.size() > symbols_max_) throw LoadError("replay: more symbols than `symbols_max`");
}

std::string ReplayFeeder::why_not(const ReplayRow& row) const {
    const auto refused = refused_.find(row.symbol);
    if (refused != refused_.end()) return refused->second;
    return sendable_.why_not(row, numbers_[row.symbol]);
}

bool ReplayFeeder::end_pass(bool again) {
    rows_offered_ = 0;
    return hand_over({{}, true, !again, {}});
}

void ReplayFeeder::fail(const std::string& why) {
    hand_over({{}, true, true, why});
}

bool ReplayFeeder::hand_over(Part part) {
    std::unique_lock lock(mutex_);
    const auto is_over = [this] { return done_ || aborted_.load(std::memory_order_relaxed); };
    changed_.wait(lock, [&] { return is_over() || parts_.size() < kBatchesHeld; });
    if (is_over()) return false;
    parts_.push_back(std::move(part));
    changed_.notify_all();
    return true;
}

bool ReplayFeeder::await_prefilled(std::int64_t timeout_ns) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::nanoseconds(timeout_ns),
                      [this] { return prefilled_ || done_; });
    if (!error_.empty()) throw LoadError(error_);
    return prefilled_ || done_;
}

void ReplayFeeder::end_by(std::int64_t until_ns) noexcept {
    if (closed_) until_ns = 0;  // there no order has a time
    std::int64_t current_ns = until_ns_.load(std::memory_order_relaxed);
    while (until_ns < current_ns && !until_ns_.compare_exchange_weak(current_ns, until_ns)) {
    }
    changed_.notify_all();
}

void ReplayFeeder::abort() noexcept {
    aborted_.store(true, std::memory_order_relaxed);
    {
        // Whoever is about to wait sees it.
        const std::lock_guard lock(mutex_);
    }
    changed_.notify_all();
}

ReplayState ReplayFeeder::state() const {
    const std::lock_guard lock(mutex_);
    return {rows_.load(std::memory_order_relaxed),
            unknown_references_.load(std::memory_order_relaxed), ended_, end_ns_, error_};
}

void ReplayFeeder::feed() noexcept {
    Part part;
    while (take(part)) {
        if (!feed_batch(part.batch)) break;
        if (part.ends_pass && !end_pass_of(part)) break;
    }
    set_waits(false);
    publish(ReplaySource::kAllFed);
    const std::lock_guard lock(mutex_);
    done_ = true;
    parts_.clear();
    changed_.notify_all();
}

bool ReplayFeeder::take(Part& part) {
    publish(fed_until_ns_);
    std::unique_lock lock(mutex_);
    while (parts_.empty() && !aborted_.load(std::memory_order_relaxed)) {
        // Bounded, because a stop is told by a number without the lock.
        changed_.wait_for(lock, std::chrono::milliseconds(5));
        if (fed_until_ns_ >= until_ns_.load(std::memory_order_relaxed)) return false;
    }
    if (parts_.empty() || aborted_.load(std::memory_order_relaxed)) return false;
    part = std::move(parts_.front());
    parts_.pop_front();
    changed_.notify_all();
    return true;
}

bool ReplayFeeder::feed_batch(const ReplayBatch& batch) {
    for (const NewSymbol& symbol : batch.new_symbols) {
        symbols_.add(symbol.text, symbol.number);
        // Before any order of it is in a ring.
        wire_symbols_.write(symbol.text, symbol.number);
    }
    for (const ReplayRow& row : batch.rows) {
        if (!feed_row(row)) return false;
    }
    return true;
}

bool ReplayFeeder::feed_row(const ReplayRow& row) {
    std::int64_t due_ns = recorded_ ? times_.next(row.time_ns) : 0;
    const std::int64_t until_ns = until_ns_.load(std::memory_order_relaxed);
    if (due_ns >= until_ns || aborted_.load(std::memory_order_relaxed)) return false;
    rows_.fetch_add(1, std::memory_order_relaxed);
    const ReplaySymbols::Symbol& symbol = symbols_[row.symbol];
    const bool is_ours = symbol.connection / connections_ == agent_;
    const auto intent = router_.route(row, symbol);
    if (!intent) {
        if (is_ours) unknown_references_.fetch_add(1, std::memory_order_relaxed);
        return true;
    }
    // A skipped row takes no time of the schedule, on any agent.
    if (!recorded_) due_ns = times_.next(row.time_ns);
    if (due_ns >= until_ns) return false;
    fed_until_ns_ = due_ns;
    if (++since_published_ >= kPublishEvery) publish(due_ns);
    return !is_ours || push(symbol.connection % connections_, *intent, due_ns);
}

bool ReplayFeeder::push(std::uint32_t connection, const Intent& intent, std::int64_t due_ns) {
    fed_any_ = true;
    ReplaySource& source = *sources_[worker_of_[connection]];
    const ReplayOrder order{due_ns, intent, member_of_[connection]};
    if (source.orders.push(order)) return true;
    note_prefilled();
    publish(due_ns);
    set_waits(true);
    while (!source.abandoned.load(std::memory_order_acquire)) {
        if (source.orders.push(order)) {
            set_waits(false);
            return true;
        }
        if (aborted_.load(std::memory_order_relaxed)) return false;
        if (due_ns >= until_ns_.load(std::memory_order_relaxed)) return false;
        std::this_thread::sleep_for(kLook);
    }
    set_waits(false);
    // The worker has ended, so the order is due to nobody; the other workers go on.
    return std::any_of(sources_.begin(), sources_.end(), [](const auto& other) {
        return !other->abandoned.load(std::memory_order_acquire);
    });
}

bool ReplayFeeder::end_pass_of(const Part& part) {
    // A pass that brought this agent nothing brings it nothing the next time either.
    const bool is_last = part.ends_file || !fed_any_;
    {
        const std::lock_guard lock(mutex_);
        ended_ = part.ends_file;
        error_ = part.error;
        if (is_last) end_ns_ = closed_ ? 0 : times_.end_ns();
    }
    times_.end_pass();
    router_.begin_pass();
    fed_any_ = false;
    return !is_last;
}

void ReplayFeeder::publish(std::int64_t fed_until_ns) noexcept {
    since_published_ = 0;
    for (const auto& source : sources_) {
        source->fed_until_ns.store(fed_until_ns, std::memory_order_release);
    }
    if (fed_until_ns >= kPrefillNs) note_prefilled();
}

void ReplayFeeder::set_waits(bool waits) noexcept {
    for (const auto& source : sources_) {
        source->feeder_waits.store(waits, std::memory_order_release);
    }
}

void ReplayFeeder::note_prefilled() {
    const std::lock_guard lock(mutex_);
    if (prefilled_) return;
    prefilled_ = true;
    changed_.notify_all();
}

}  // namespace cluster
