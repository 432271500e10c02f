// What a protocol with sessions does on one connection: log-on, heartbeats, text ids and all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/matcher.h"
#include "engine/output_buffer.h"
#include "engine/request.h"

namespace cluster::engine {

/// One look at the clocks.
struct Now {
    std::int64_t steady_ns;  ///< CLOCK_MONOTONIC: for waits
    std::int64_t wall_ns;    ///< since 1970, UTC: for what messages tell
};

/// Why a session ends; its thread then sends what waits and closes the connection.
enum class Ending : std::uint8_t {
    kNone,
    kAgreed,     ///< the client logged out, or the engine stops
    kRefused,    ///< its log-on was refused
    kSilent,     ///< nothing came from it for too long
    kMalformed,  ///< it sent what the protocol does not allow
};

/// What a session found at the start of some bytes.
struct Taken {
    std::size_t bytes = 0;  ///< how long it is; 0: it is not whole yet
    bool is_request = false;
};

/// Turns a client's bytes into requests with numeric ids and the replies to them into its bytes.
///
/// Belongs to the matching thread that serves the connection. It opens no socket and reads no
/// clock, so tests run it as fast as they like. orderwire has no sessions and does without.
///
/// Replies about one symbol come in the order in which they happened, requests go to their books
/// in the order in which they were taken. Between the two, a request may find that its order has
/// gone.
class Session {
public:
    Session() = default;
    virtual ~Session() = default;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// Takes the first message of `bytes` when it is whole, and puts it into `request` when it is
    /// one for the books. Only while it has not ended.
    virtual Taken take(std::span<const std::byte> bytes, Now now, Request& request,
                       OutputBuffer& output) = 0;

    /// One reply of the books to one of its requests. After its end, nothing.
    virtual void reply(const Reply& reply, Now now, OutputBuffer& output) = 0;

    /// Several times a second: heartbeats, and what is to be done about silence.
    virtual void tick(Now now, OutputBuffer& output) = 0;

    /// The engine stops: the protocol's farewell.
    virtual void farewell(Now now, OutputBuffer& output) = 0;

    /// The engine has chosen not to read from the connection, so its silence means nothing.
    virtual void excuse_silence(Now now) = 0;

    Ending ending() const noexcept { return ending_; }

    /// Requests that were refused before any book saw them.
    std::uint64_t refused() const noexcept { return refused_; }
    /// Messages that were passed over because they came garbled.
    std::uint64_t garbled() const noexcept { return garbled_; }

protected:
    Ending ending_ = Ending::kNone;
    std::uint64_t refused_ = 0;
    std::uint64_t garbled_ = 0;
};

}  // namespace cluster::engine
