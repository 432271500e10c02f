// Brings a file's orders to the workers, ahead of time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "client/load_config.h"
#include "client/replay_router.h"
#include "client/replay_sendable.h"
#include "client/replay_source.h"
#include "client/replay_times.h"
#include "client/replay_wire_symbols.h"

namespace cluster {

/// A symbol that a batch is the first to name.
struct NewSymbol {
    std::string text;
    std::uint32_t number;  ///< the integer that it is, or its place in the order of appearance
};

/// Some rows of the file, in its order, and the symbols that are new in them.
struct ReplayBatch {
    std::vector<NewSymbol> new_symbols;
    std::vector<ReplayRow> rows;
};

/// How far the file has been read.
struct ReplayState {
    std::uint64_t rows = 0;                ///< of all agents; every pass counts
    std::uint64_t unknown_references = 0;  ///< skipped rows of this agent
    bool ended = false;                    ///< the file has no further order
    std::int64_t end_ns = 0;  ///< once ended: when another order would be due; 0 when closed-loop
    std::string error;        ///< why the file could not be read on
};

/// One thread that takes the rows of a reader, follows the orders' lives, and fills the workers'
/// rings up to the level's end.
///
/// `offer`, `end_pass` and `fail` belong to the reader's thread, the rest to any.
class ReplayFeeder {
public:
    static constexpr std::size_t kBatchesHeld = 4;

    /// Starts the thread, which writes the symbols' texts into `plan`: nobody else does. The plan
    /// outlives the feeder.
    ReplayFeeder(const LoadConfig& config, protocol::Plan& plan);
    ~ReplayFeeder();
    ReplayFeeder(const ReplayFeeder&) = delete;
    ReplayFeeder& operator=(const ReplayFeeder&) = delete;

    ReplaySource& source(std::uint32_t worker) noexcept { return *sources_[worker]; }
    const ReplaySymbols& symbols() const noexcept { return symbols_; }

    /// Hands rows over, waiting while `kBatchesHeld` batches are not used up. False: no more is
    /// wanted. LoadError for a symbol that the file has not named, or a row that the protocol can't
    /// say; the rows before it are handed over.
    bool offer(ReplayBatch batch);
    /// The file is at its end; `again`: its rows come once more. False: no more is wanted.
    bool end_pass(bool again);
    /// The file can't be read on: what came before is still sent.
    void fail(const std::string& why);

    /// Waits until the load may start: a ring is full, the first seconds are in, or the file has
    /// ended. False: not in time. LoadError: the reader has failed.
    bool await_prefilled(std::int64_t timeout_ns);

    /// Orders due from here on, ns after the start, are not wanted.
    void end_by(std::int64_t until_ns) noexcept;
    /// Ends at once.
    void abort() noexcept;

    ReplayState state() const;

private:
    struct Part {
        ReplayBatch batch;
        bool ends_pass = false;
        bool ends_file = false;
        std::string error;
    };

    void name(std::vector<NewSymbol>& symbols);
    std::string why_not(const ReplayRow& row) const;
    bool hand_over(Part part);
    void feed() noexcept;
    bool take(Part& part);
    bool feed_batch(const ReplayBatch& batch);
    bool feed_row(const ReplayRow& row);
    bool end_pass_of(const Part& part);
    bool push(std::uint32_t connection, const Intent& intent, std::int64_t due_ns);
    void publish(std::int64_t fed_until_ns) noexcept;
    void set_waits(bool waits) noexcept;
    void note_prefilled();

    const bool recorded_;
    const bool closed_;
    const std::uint32_t agent_;
    const std::uint32_t workers_;
    const std::uint32_t connections_;
    const std::uint32_t symbols_max_;
    std::vector<std::uint32_t> worker_of_;  ///< by this agent's connection
    std::vector<std::uint32_t> member_of_;  ///< its place among that worker's connections
    std::vector<std::unique_ptr<ReplaySource>> sources_;
    ReplaySymbols symbols_;
    ReplayWireSymbols wire_symbols_;
    const ReplaySendable sendable_;
    std::vector<std::uint32_t> numbers_;            ///< of the symbols that the reader has named
    std::map<std::uint32_t, std::string> refused_;  ///< by index of the symbol: why
    std::uint64_t rows_offered_ = 0;                ///< in this pass
    ReplayRouter router_;
    ReplayTimes times_;
    std::int64_t fed_until_ns_ = 0;
    std::uint32_t since_published_ = 0;
    bool fed_any_ = false;  ///< since the pass began

    std::atomic<std::int64_t> until_ns_;
    std::atomic<bool> aborted_ = false;
    std::atomic<std::uint64_t> rows_ = 0;
    std::atomic<std::uint64_t> unknown_references_ = 0;

    mutable std::mutex mutex_;  ///< guards what follows
    std::condition_variable changed_;
    std::deque<Part> parts_;
    bool done_ = false;  ///< the thread takes no more
    bool prefilled_ = false;
    bool ended_ = false;
    std::int64_t end_ns_ = 0;
    std::string error_;

    std::thread thread_;
};

}  // namespace cluster
