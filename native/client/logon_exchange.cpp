#include "client/logon_exchange.h"

#include <algorithm>

#include "client/errors.h"

namespace cluster {
namespace {

constexpr std::size_t kShownBytes = 32;
constexpr std::size_t kShownReasonBytes = 200;

std::string in_hex(std::span<const std::byte> bytes) {
    constexpr char kHex[] = "0123456789abcdef";
    std::string text;
    for (const std::byte byte : bytes.first(std::min(bytes.size(), kShownBytes))) {
        const auto value = static_cast<unsigned>(byte);
        text += kHex[value >> 4];
        text += kHex[value & 15];
    }
    return text + (bytes.size() > kShownBytes ? "…" : "");
}

}  // namespace

LogonExchange::LogonExchange(WireCodec& codec, const std::string& peer)
    : codec_(codec), peer_(peer) {
    say(codec_.plan().session.logon);
}

void LogonExchange::receive(std::span<const std::byte> bytes) {
    received_.insert(received_.end(), bytes.begin(), bytes.end());
    std::size_t used = 0;
    while (!done_) {
        const std::span<const std::byte> left = std::span(received_).subspan(used);
        const protocol::Decoded decoded = codec_.decode(left);
        if (decoded.status == protocol::DecodeStatus::kNeedMore) break;
        if (decoded.status == protocol::DecodeStatus::kMalformed) {
            fail("what came is no message of the protocol: " + in_hex(left));
        }
        if (decoded.status == protocol::DecodeStatus::kReply) act_on(decoded.reply);
        used += decoded.length;
    }
    received_.erase(received_.begin(), received_.begin() + static_cast<std::ptrdiff_t>(used));
}

void LogonExchange::fail(const std::string& why) const {
    throw LoadError("log on to " + peer_ + ": " + why);
}

void LogonExchange::act_on(const protocol::Reply& reply) {
    using protocol::Meaning;
    if (reply.sequence >= 0) codec_.is_next(reply.sequence);
    codec_.keep(reply);
    if (reply.meaning == Meaning::kLogonRefused || reply.meaning == Meaning::kLoggedOut) {
        fail("refused" + reason_of(reply));
    }
    done_ = reply.meaning == Meaning::kLoggedOn;
    if (reply.rule->answer != protocol::kNone) say(reply.rule->answer);
}

std::string LogonExchange::reason_of(const protocol::Reply& reply) const {
    const protocol::LaterView view(codec_.plan(), reply);
    const protocol::Read& read = reply.rule->reason;
    std::string reason;
    if (read.kind == protocol::ReadKind::kText) {
        const std::span<const std::byte> text = view.text(read);
        for (const std::byte byte : text.first(std::min(text.size(), kShownReasonBytes))) {
            const auto c = static_cast<char>(byte);
            reason += c >= ' ' && c <= '~' ? c : '?';  // untrusted: it goes to a terminal
        }
        if (text.size() > kShownReasonBytes) reason += "…";
    } else if (const auto number = view.number(read)) {
        reason = std::to_string(*number);
    }
    return reason.empty() ? "" : ": " + reason;
}

void LogonExchange::say(std::uint16_t message) {
    const std::size_t before = pending_.size();
    pending_.resize(before + codec_.room());
    pending_.resize(before + codec_.encode_session(message, pending_.data() + before));
}

}  // namespace cluster
