// The acceptor's end of a FIX 4.4 session: log-on, sequence numbers, heartbeats, log-out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "client/clock.h"
#include "engine/output_buffer.h"
#include "engine/protocol/client_orders.h"
#include "engine/protocol/fix_message.h"
#include "engine/protocol/protocol.h"
#include "engine/session.h"

namespace cluster::engine {

/// Every connection is a session of its own whose numbers begin at 1 on both sides. The engine goes
/// by the name that the client's Logon calls it, and the client by the name it gives itself.
///
/// What was sent is not kept: a ResendRequest is answered by a SequenceReset-GapFill.
class FixSession {
public:
    static constexpr std::size_t kNameMax = 40;         ///< a CompID or TestReqID
    static constexpr std::uint64_t kHeartBtMax = 3600;  ///< seconds
    static constexpr std::int64_t kLogonWithinNs = 15 * kNsPerS;
    static constexpr std::int64_t kOnTheWayNs =
        kNsPerS;  ///< a heartbeat may take so long, or a fifth
    static constexpr std::size_t kGarbledMax = 16 * 1024;  ///< bytes of garbage in one piece

    /// `login` outlives it.
    FixSession(const Login& login, Now now);

    /// What lay at the start of some bytes.
    struct Got {
        std::size_t bytes = 0;        ///< 0: not whole yet
        bool is_application = false;  ///< message() is one for the orders
        bool is_garbled = false;
    };
    Got take(std::span<const std::byte> bytes, Now now, OutputBuffer& output);

    /// The application message that was taken last; its fields lie in the bytes that were given.
    const FixMessage& message() const noexcept { return message_; }

    /// Begins a message with its head; send() ends it.
    FixWriter start(std::string_view type, Now now);
    void send(FixWriter& message, Now now, OutputBuffer& output);

    /// Refuse the message that was taken last: for how it is written, or for what it asks.
    enum class RejectReason : std::uint8_t {
        kInvalidTag = 0,
        kRequiredTagMissing = 1,
        kTagWithoutValue = 4,
        kValueIncorrect = 5,
        kFormatIncorrect = 6,
        kCompIdProblem = 9,
        kOther = 99,
    };
    void reject(RejectReason reason, int tag, std::string_view text, Now now, OutputBuffer& output);
    void reject_unsupported(Now now, OutputBuffer& output);

    void tick(Now now, OutputBuffer& output);
    void log_out(std::string_view text, Ending ending, Now now, OutputBuffer& output);
    void excuse_silence(Now now) noexcept { heard_ns_ = now.steady_ns; }

    bool logged_on() const noexcept { return logged_on_; }
    Ending ending() const noexcept { return ending_; }
    std::string_view time(Now now) noexcept { return time_.at(now.wall_ns); }

private:
    bool take_message(std::string_view begin_string, Now now, OutputBuffer& output);
    bool is_well_formed(Now now, OutputBuffer& output);
    void log_on(Now now, OutputBuffer& output);
    std::string_view fault_of_logon() const noexcept;
    bool is_next(std::uint64_t number, Now now, OutputBuffer& output);
    bool take_session_message(Now now, OutputBuffer& output);
    void take_reset(Now now, OutputBuffer& output);
    void fill_gap(Now now, OutputBuffer& output);
    void ask_for_missing(std::uint64_t seen, Now now, OutputBuffer& output);

    const Login& login_;
    FixMessage message_;
    FixTime time_;
    ShortText<kNameMax> engine_;
    ShortText<kNameMax> client_;
    bool logged_on_ = false;
    bool test_request_sent_ = false;
    Ending ending_ = Ending::kNone;
    std::uint64_t expected_ = 1;     ///< the client's next number
    std::uint64_t next_ = 1;         ///< the engine's
    std::uint64_t asked_up_to_ = 0;  ///< the highest number seen when the missing were asked for
    std::size_t garbled_in_one_piece_ = 0;
    std::int64_t heartbeat_ns_ = 0;  ///< 0: none
    std::int64_t heard_ns_;
    std::int64_t sent_ns_;
};

}  // namespace cluster::engine
