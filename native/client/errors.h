// What goes wrong: before the start as an exception, under load as counters by kind.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace cluster {

/// The load can't start: says which operation, on which peer, and why.
class LoadError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;

    /// "connect to 127.0.0.1:9001: Connection refused"
    static LoadError from_errno(const std::string& operation, int error);
};

/// Events under load that are counted. The first seven end a connection.
enum class ErrorKind : std::uint8_t {
    kClosedByEngine,  ///< the engine closed the connection while we still used it
    kReset,           ///< the connection was reset
    kSendFailed,      ///< send() failed otherwise
    kReceiveFailed,   ///< recv() failed otherwise
    kProtocolError,   ///< bytes in which no message can be found any more; we close the connection
    kLoggedOut,       ///< the engine ended the session
    kEngineSilent,    ///< nothing came for longer than the protocol allows; we close the connection
    kLateReply,       ///< the answer to an order that had timed out
    kDuplicateReply,  ///< another answer to an order that had been answered
    kUnknownId,       ///< a reply to an id that was never sent, or that has none
    kUnknownMessage,  ///< a whole message that the schema does not know: skipped
    kGarbledMessage,  ///< a whole message whose checksum is wrong: skipped
    kCutMessage,      ///< the stream ended, or we left, in the middle of a message
    kSequenceBreak,   ///< a message of the session whose number is not the next
    kEngineTime,      ///< replied before received, by the engine's own clock: not recorded
    kOutOfRange,      ///< a time beyond the histogram's range, counted in its last bucket
    kIntervalOverrun,  ///< an order recorded in an earlier second's interval: none was free
    kLeaseExpired,     ///< progress() was not called for lease_ns: the load stopped by itself
    kReplayStarved,    ///< an order of a file reached its worker only after it was due
    kReplayUnknownReference,  ///< a replace or cancel names no living order of the file: skipped
    kActivityOverrun,  ///< 50 ms of the client's doings entered in an earlier second's: none was
                       ///< free
    kKernelTime,       ///< a kernel's time stamp of a send or receive that can't be: not recorded
};
inline constexpr std::size_t kErrorKinds = 22;

/// The kind's name in results: `late_reply`.
std::string_view name_of(ErrorKind kind) noexcept;

/// Counts by kind. Plain numbers: each worker has its own.
class ErrorCounts {
public:
    void add(ErrorKind kind) noexcept { ++counts_[static_cast<std::size_t>(kind)]; }
    std::uint64_t operator[](ErrorKind kind) const noexcept {
        return counts_[static_cast<std::size_t>(kind)];
    }
    std::uint64_t& operator[](ErrorKind kind) noexcept {
        return counts_[static_cast<std::size_t>(kind)];
    }

private:
    std::array<std::uint64_t, kErrorKinds> counts_{};
};

}  // namespace cluster
