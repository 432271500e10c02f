#include "engine/protocol/soupbin.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <string_view>

namespace cluster::engine {
namespace {

using soupbin::RejectReason;
using soupbin::Type;

template <std::size_t kSize>
std::string_view trimmed(const Alpha<kSize>& text) noexcept {
    std::string_view view(text.data(), text.size());
    const std::size_t first = view.find_first_not_of(' ');
    return first == std::string_view::npos
               ? std::string_view{}
               : view.substr(first, view.find_last_not_of(' ') - first + 1);
}

/// The protocol's names and passwords know no upper and lower case.
bool same(std::string_view left, std::string_view right) noexcept {
    return std::ranges::equal(left, right, [](unsigned char a, unsigned char b) {
        return std::tolower(a) == std::tolower(b);
    });
}

template <std::size_t kSize>
Alpha<kSize> padded_on_the_left(std::string_view text) noexcept {
    Alpha<kSize> alpha;
    alpha.fill(' ');
    std::ranges::copy_backward(text, alpha.end());
    return alpha;
}

}  // namespace

SoupBin::SoupBin(SessionId id, const Login& login, Now now)
    : id_(id), login_(login), heard_ns_(now.steady_ns), sent_ns_(now.steady_ns) {}

SoupBin::Packet SoupBin::take(std::span<const std::byte> bytes, Now now, OutputBuffer& output) {
    soupbin::Header header;
    if (bytes.size() < sizeof header) {
        return {};
    }
    std::memcpy(&header, bytes.data(), sizeof header);
    const std::size_t length = sizeof header.length + header.length;
    if (header.length == 0 || length > kLongestPacket) {
        ending_ = Ending::kMalformed;
        return {};
    }
    if (bytes.size() < length) {
        return {};
    }
    heard_ns_ = now.steady_ns;
    Packet packet{.bytes = length};
    switch (header.type) {
        case Type::kDebug:
        case Type::kClientHeartbeat: return packet;
        case Type::kLogoutRequest: ending_ = Ending::kAgreed; return packet;
        case Type::kLoginRequest:
            packet.logged_in = log_in(bytes.first(length), now, output);
            return packet;
        case Type::kUnsequencedData:
            if (logged_in_ && header.length > 1) {
                packet.data = bytes.subspan(sizeof header, length - sizeof header);
                return packet;
            }
            break;
        default: break;
    }
    ending_ = Ending::kMalformed;
    return packet;
}

bool SoupBin::log_in(std::span<const std::byte> packet, Now now, OutputBuffer& output) {
    soupbin::LoginRequest request;
    if (logged_in_ || packet.size() != sizeof request) {
        ending_ = Ending::kMalformed;
        return false;
    }
    std::memcpy(&request, packet.data(), sizeof request);
    if (login_.required && !(same(trimmed(request.user), login_.user) &&
                             same(trimmed(request.password), login_.password))) {
        refuse(RejectReason::kNotAuthorized, now, output);
        return false;
    }
    const std::string_view sequence = trimmed(request.sequence);
    const bool from_the_start = sequence.find_first_not_of('0') == std::string_view::npos ||
                                sequence.substr(sequence.find_first_not_of('0')) == "1";
    if (!trimmed(request.session).empty() || !from_the_start) {
        refuse(RejectReason::kNoSession, now, output);
        return false;
    }
    logged_in_ = true;
    const soupbin::LoginAccepted accepted{
        {},
        padded_on_the_left<sizeof accepted.session>(std::to_string(std::uint64_t{id_} + 1)),
        padded_on_the_left<sizeof accepted.sequence>("1")};
    send_packet(Type::kLoginAccepted,
                std::as_bytes(std::span(&accepted, 1)).subspan(sizeof accepted.header), now,
                output);
    return true;
}

void SoupBin::refuse(RejectReason reason, Now now, OutputBuffer& output) {
    send_packet(Type::kLoginRejected, std::as_bytes(std::span(&reason, 1)), now, output);
    ending_ = Ending::kRefused;
}

void SoupBin::tick(Now now, OutputBuffer& output) {
    if (now.steady_ns - heard_ns_ >= kSilenceNs) {
        ending_ = Ending::kSilent;
    } else if (logged_in_ && now.steady_ns - sent_ns_ >= kHeartbeatNs) {
        send_packet(Type::kServerHeartbeat, {}, now, output);
    }
}

void SoupBin::end_session(Now now, OutputBuffer& output) {
    if (logged_in_) {
        send_packet(Type::kEndOfSession, {}, now, output);
    }
}

void SoupBin::send_packet(Type type, std::span<const std::byte> payload, Now now,
                          OutputBuffer& output) {
    const soupbin::Header header = soupbin::header(type, payload.size());
    std::byte* const room = output.room(sizeof header + payload.size());
    std::memcpy(room, &header, sizeof header);
    if (!payload.empty()) {
        std::memcpy(room + sizeof header, payload.data(), payload.size());
    }
    output.commit(sizeof header + payload.size());
    sent_ns_ = now.steady_ns;
}

}  // namespace cluster::engine
