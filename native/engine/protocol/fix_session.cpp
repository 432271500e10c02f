#include "engine/protocol/fix_session.h"

#include <algorithm>
#include <string>

namespace cluster::engine {
namespace {

constexpr std::string_view kFix44 = "FIX.4.4";

/// The type of a session message; 0 for messages of the application.
char session_type(std::string_view type) noexcept {
    return type.size() == 1 && std::string_view("012345A").find(type[0]) != std::string_view::npos
               ? type[0]
               : '\0';
}

}  // namespace

FixSession::FixSession(const Login& login, Now now)
    : login_(login), heard_ns_(now.steady_ns), sent_ns_(now.steady_ns) {}

FixSession::Got FixSession::take(std::span<const std::byte> bytes, Now now, OutputBuffer& output) {
    const FixFrame frame = find_fix_frame(bytes);
    if (frame.is == FixFrame::Is::kPartial) {
        return {};
    }
    if (frame.is == FixFrame::Is::kGarbled) {
        const bool counts = garbled_in_one_piece_ == 0;
        garbled_in_one_piece_ += frame.bytes;
        if (!logged_on_ || garbled_in_one_piece_ > kGarbledMax) {
            ending_ = Ending::kMalformed;
        }
        return {.bytes = frame.bytes, .is_garbled = counts};
    }
    garbled_in_one_piece_ = 0;
    heard_ns_ = now.steady_ns;
    test_request_sent_ = false;
    message_ = FixMessage(frame.body);
    return {.bytes = frame.bytes, .is_application = take_message(frame.begin_string, now, output)};
}

/// True when it is one for the orders.
bool FixSession::take_message(std::string_view begin_string, Now now, OutputBuffer& output) {
    const bool is_logon = message_[fix::kMsgType] == "A";
    if (!logged_on_ && !is_logon) {
        ending_ = Ending::kMalformed;  // a session begins with a Logon
        return false;
    }
    if (!logged_on_) {
        engine_ = ShortText<kNameMax>(message_[fix::kTargetCompId]);
        client_ = ShortText<kNameMax>(message_[fix::kSenderCompId]);
    }
    const auto number = fix_number(message_[fix::kMsgSeqNum]);
    if (begin_string != kFix44) {
        log_out("BeginString is not FIX.4.4", Ending::kRefused, now, output);
        return false;
    }
    if (!number || *number == 0) {
        log_out("MsgSeqNum is missing or no number", Ending::kMalformed, now, output);
        return false;
    }
    if (!logged_on_ || (is_logon && message_[fix::kResetSeqNumFlag] == "Y")) {
        log_on(now, output);
        return false;
    }
    if (message_[fix::kSenderCompId] != client_.view() ||
        message_[fix::kTargetCompId] != engine_.view()) {
        reject(RejectReason::kCompIdProblem, fix::kSenderCompId,
               "the CompIDs are not those of the Logon", now, output);
        log_out("the CompIDs are not those of the Logon", Ending::kMalformed, now, output);
        return false;
    }
    const bool resets = message_[fix::kMsgType] == "4" && message_[fix::kGapFillFlag] != "Y";
    if (!resets && !is_next(*number, now, output)) {
        return false;
    }
    expected_ += !resets;
    return is_well_formed(now, output) && !take_session_message(now, output);
}

/// Whether a message has the number whose turn it is; if not, what is to be done about that.
bool FixSession::is_next(std::uint64_t number, Now now, OutputBuffer& output) {
    if (number < expected_) {
        if (message_[fix::kPossDupFlag] != "Y") {
            log_out("MsgSeqNum too low, expecting " + std::to_string(expected_) + " but received " +
                        std::to_string(number),
                    Ending::kMalformed, now, output);
        }
        return false;
    }
    if (number == expected_) {
        return true;
    }
    // Both are answered whatever is missing before them: who waits for a ResendRequest's answer
    // may be waiting for it on both sides.
    const char type = session_type(message_[fix::kMsgType]);
    if (type == '2') {
        fill_gap(now, output);
    } else if (type == '5') {
        log_out({}, Ending::kAgreed, now, output);
        return false;
    }
    ask_for_missing(number, now, output);
    return false;
}

/// Once for each gap: what comes while the client fills it would only ask again.
void FixSession::ask_for_missing(std::uint64_t seen, Now now, OutputBuffer& output) {
    if (expected_ > asked_up_to_) {
        FixWriter request = start("2", now);
        request.number(fix::kBeginSeqNo, expected_);
        request.number(fix::kEndSeqNo, 0);
        send(request, now, output);
    }
    asked_up_to_ = std::max(asked_up_to_, seen);
}

bool FixSession::is_well_formed(Now now, OutputBuffer& output) {
    switch (message_.fault()) {
        case FixMessage::Fault::kNone: break;
        case FixMessage::Fault::kInvalidTag:
            reject(RejectReason::kInvalidTag, message_.fault_tag(), "a field is not tag=value", now,
                   output);
            return false;
        case FixMessage::Fault::kTagWithoutValue:
            reject(RejectReason::kTagWithoutValue, message_.fault_tag(), "a field has no value",
                   now, output);
            return false;
        case FixMessage::Fault::kTooManyFields:
            reject(RejectReason::kOther, 0, "the message has too many fields", now, output);
            return false;
    }
    if (message_[fix::kSendingTime].empty()) {
        reject(RejectReason::kRequiredTagMissing, fix::kSendingTime, "SendingTime is missing", now,
               output);
        return false;
    }
    return true;
}

/// False when it is one of the application.
bool FixSession::take_session_message(Now now, OutputBuffer& output) {
    switch (session_type(message_[fix::kMsgType])) {
        case '\0': return false;
        case '1': {
            const std::string_view id = message_[fix::kTestReqId];
            if (id.empty() || id.size() > kNameMax) {
                reject(RejectReason::kRequiredTagMissing, fix::kTestReqId,
                       "TestReqID is missing or longer than 40 characters", now, output);
                break;
            }
            FixWriter heartbeat = start("0", now);
            heartbeat.text(fix::kTestReqId, id);
            send(heartbeat, now, output);
            break;
        }
        case '2': fill_gap(now, output); break;
        case '4': take_reset(now, output); break;
        case '5': log_out({}, Ending::kAgreed, now, output); break;
        case 'A':
            reject(RejectReason::kOther, fix::kMsgType, "the session is logged on already", now,
                   output);
            break;
        default: break;  // a Heartbeat or a Reject: heard
    }
    return true;
}

/// Both kinds: the client's next number is the one that it says.
void FixSession::take_reset(Now now, OutputBuffer& output) {
    const auto next = fix_number(message_[fix::kNewSeqNo]);
    if (!next || *next < expected_) {
        reject(next ? RejectReason::kValueIncorrect : RejectReason::kRequiredTagMissing,
               fix::kNewSeqNo, "NewSeqNo is missing or lower than what has come", now, output);
        return;
    }
    expected_ = *next;
}

/// The answer to a ResendRequest: none of it will be sent again.
void FixSession::fill_gap(Now now, OutputBuffer& output) {
    const auto begin = fix_number(message_[fix::kBeginSeqNo]);
    if (!begin || *begin == 0 || *begin >= next_) {
        reject(RejectReason::kValueIncorrect, fix::kBeginSeqNo,
               "BeginSeqNo is no number of a message that was sent", now, output);
        return;
    }
    const std::uint64_t next = next_;
    next_ = *begin;
    FixWriter gap = start("4", now);
    gap.letter(fix::kPossDupFlag, 'Y');
    gap.text(fix::kOrigSendingTime, time(now));
    gap.letter(fix::kGapFillFlag, 'Y');
    gap.number(fix::kNewSeqNo, next);
    send(gap, now, output);
    next_ = next;
}

/// What is wrong with a Logon; empty when nothing is.
std::string_view FixSession::fault_of_logon() const noexcept {
    const auto interval = fix_number(message_[fix::kHeartBtInt]);
    if (client_.view().empty() || message_[fix::kSenderCompId].size() > kNameMax ||
        engine_.view().empty() || message_[fix::kTargetCompId].size() > kNameMax) {
        return "SenderCompID and TargetCompID are needed, of at most 40 characters";
    }
    if (message_.fault() != FixMessage::Fault::kNone) {
        return "the Logon is not well formed";
    }
    if (message_[fix::kEncryptMethod] != "0") {
        return "EncryptMethod must be 0: nothing is encrypted";
    }
    if (!interval || *interval > kHeartBtMax) {
        return "HeartBtInt must be a number of seconds from 0 to 3600";
    }
    if (message_[fix::kResetSeqNumFlag] == "Y" && fix_number(message_[fix::kMsgSeqNum]) != 1) {
        return "ResetSeqNumFlag needs MsgSeqNum 1";
    }
    if (login_.required &&
        (message_[fix::kUsername] != login_.user || message_[fix::kPassword] != login_.password)) {
        return "Username or Password is wrong";
    }
    return {};
}

void FixSession::log_on(Now now, OutputBuffer& output) {
    const std::string_view fault = fault_of_logon();
    if (!fault.empty()) {
        return log_out(fault, Ending::kRefused, now, output);
    }
    const bool resets = message_[fix::kResetSeqNumFlag] == "Y";
    if (resets) {
        expected_ = next_ = 1;
        asked_up_to_ = 0;
    }
    logged_on_ = true;
    const std::uint64_t interval_s = *fix_number(message_[fix::kHeartBtInt]);
    heartbeat_ns_ = static_cast<std::int64_t>(interval_s) * kNsPerS;
    FixWriter answer = start("A", now);
    answer.number(fix::kEncryptMethod, 0);
    answer.number(fix::kHeartBtInt, interval_s);
    if (resets) {
        answer.letter(fix::kResetSeqNumFlag, 'Y');
    }
    send(answer, now, output);
    expected_ += is_next(*fix_number(message_[fix::kMsgSeqNum]), now, output);
}

FixWriter FixSession::start(std::string_view type, Now now) {
    FixWriter message;
    message.text(fix::kMsgType, type);
    message.text(fix::kSenderCompId, engine_.view());
    message.text(fix::kTargetCompId, client_.view());
    message.number(fix::kMsgSeqNum, next_++);
    message.text(fix::kSendingTime, time(now));
    return message;
}

void FixSession::send(FixWriter& message, Now now, OutputBuffer& output) {
    const std::string_view bytes = message.finish();
    output.append(std::as_bytes(std::span(bytes)));
    sent_ns_ = now.steady_ns;
}

void FixSession::reject(RejectReason reason, int tag, std::string_view text, Now now,
                        OutputBuffer& output) {
    FixWriter message = start("3", now);
    message.number(fix::kRefSeqNum, fix_number(message_[fix::kMsgSeqNum]).value_or(0));
    if (tag > 0) {
        message.number(fix::kRefTagId, static_cast<std::uint64_t>(tag));
    }
    message.text(fix::kRefMsgType, message_[fix::kMsgType].substr(0, kNameMax));
    message.number(fix::kSessionRejectReason, static_cast<std::uint64_t>(reason));
    message.text(fix::kText, text);
    send(message, now, output);
}

void FixSession::reject_unsupported(Now now, OutputBuffer& output) {
    constexpr std::uint64_t kUnsupportedMessageType = 3;
    FixWriter message = start("j", now);
    message.number(fix::kRefSeqNum, fix_number(message_[fix::kMsgSeqNum]).value_or(0));
    message.text(fix::kRefMsgType, message_[fix::kMsgType].substr(0, kNameMax));
    message.number(fix::kBusinessRejectReason, kUnsupportedMessageType);
    message.text(fix::kText, "the engine takes the messages D, F and G");
    send(message, now, output);
}

void FixSession::log_out(std::string_view text, Ending ending, Now now, OutputBuffer& output) {
    ending_ = ending;
    if (engine_.view().empty() || client_.view().empty()) {
        return;  // it never said who it is, so there is nobody to write to
    }
    FixWriter message = start("5", now);
    if (!text.empty()) {
        message.text(fix::kText, text);
    }
    send(message, now, output);
}

/// A client that is silent for its interval and some time on the way is asked, and has as long
/// again.
void FixSession::tick(Now now, OutputBuffer& output) {
    const std::int64_t silent_ns = now.steady_ns - heard_ns_;
    if (!logged_on_) {
        ending_ = silent_ns >= kLogonWithinNs ? Ending::kSilent : ending_;
        return;
    }
    if (heartbeat_ns_ == 0) {
        return;
    }
    const std::int64_t patience_ns = heartbeat_ns_ + std::max(heartbeat_ns_ / 5, kOnTheWayNs);
    if (silent_ns >= 2 * patience_ns) {
        return log_out("nothing has come for too long", Ending::kSilent, now, output);
    }
    if (silent_ns >= patience_ns && !test_request_sent_) {
        FixWriter request = start("1", now);
        request.text(fix::kTestReqId, "alive?");
        send(request, now, output);
        test_request_sent_ = true;
    } else if (now.steady_ns - sent_ns_ >= heartbeat_ns_) {
        FixWriter heartbeat = start("0", now);
        send(heartbeat, now, output);
    }
}

}  // namespace cluster::engine
