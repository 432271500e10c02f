// The server's end of a SoupBinTCP 3.0 session: log-on, heartbeats and sequenced messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "client/clock.h"
#include "engine/output_buffer.h"
#include "engine/protocol/protocol.h"
#include "engine/session.h"
#include "wire/soupbin.h"

namespace cluster::engine {

/// Every connection is a session of its own, whose sequenced messages begin at 1. They are not
/// kept: a log-on that wants an older session, or to begin later in this one, is refused.
class SoupBin {
public:
    static constexpr std::int64_t kHeartbeatNs = kNsPerS;
    static constexpr std::int64_t kSilenceNs = 15 * kNsPerS;
    static constexpr std::size_t kLongestPacket = 4096;  ///< from a client; debug text is longest

    /// `login` outlives it.
    SoupBin(SessionId id, const Login& login, Now now);

    struct Packet {
        std::size_t bytes = 0;              ///< 0: not whole yet
        bool logged_in = false;             ///< it was the log-on, and was accepted
        std::span<const std::byte> data{};  ///< of an unsequenced data packet
    };

    /// Takes the packet at the start of `bytes` and answers it, when that is all it needs.
    Packet take(std::span<const std::byte> bytes, Now now, OutputBuffer& output);

    /// Sends a sequenced message.
    template <class Message>
    void send(const Message& message, Now now, OutputBuffer& output) {
        send_packet(soupbin::Type::kSequencedData, std::as_bytes(std::span(&message, 1)), now,
                    output);
    }

    void tick(Now now, OutputBuffer& output);
    void end_session(Now now, OutputBuffer& output);
    void excuse_silence(Now now) noexcept { heard_ns_ = now.steady_ns; }

    bool logged_in() const noexcept { return logged_in_; }
    Ending ending() const noexcept { return ending_; }

private:
    bool log_in(std::span<const std::byte> packet, Now now, OutputBuffer& output);
    void refuse(soupbin::RejectReason reason, Now now, OutputBuffer& output);
    void send_packet(soupbin::Type type, std::span<const std::byte> payload, Now now,
                     OutputBuffer& output);

    const SessionId id_;
    const Login& login_;
    bool logged_in_ = false;
    Ending ending_ = Ending::kNone;
    std::int64_t heard_ns_;
    std::int64_t sent_ns_;
};

}  // namespace cluster::engine
