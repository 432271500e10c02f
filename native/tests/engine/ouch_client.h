// What a client of OUCH 4.2 over SoupBinTCP sends and reads, for tests.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "wire/ouch42.h"
#include "wire/soupbin.h"

namespace cluster::engine::test {

template <class Text>
Text alpha(std::string_view text) {
    Text padded;
    padded.fill(' ');
    std::copy_n(text.begin(), std::min(text.size(), padded.size()), padded.begin());
    return padded;
}

template <class Message>
std::string raw(const Message& message) {
    return {reinterpret_cast<const char*>(&message), sizeof message};
}

inline std::string soup(soupbin::Type type, std::string_view payload = {}) {
    return raw(soupbin::header(type, payload.size())) + std::string(payload);
}

inline std::string soup_login(std::string_view user = "", std::string_view password = "",
                              std::string_view session = "", std::string_view sequence = "1") {
    return raw(soupbin::LoginRequest{soupbin::header(soupbin::Type::kLoginRequest, 46),
                                     alpha<Alpha<6>>(user), alpha<Alpha<10>>(password),
                                     alpha<Alpha<10>>(session), alpha<Alpha<20>>(sequence)});
}

template <class Message>
std::string ouch(const Message& message) {
    return soup(soupbin::Type::kUnsequencedData, raw(message));
}

inline ouch42::Enter ouch_enter(std::string_view token, char side, std::uint32_t shares,
                                std::uint32_t price,
                                std::uint32_t time_in_force = ouch42::kSystemHours,
                                std::string_view stock = "S00007") {
    return {ouch42::Type::kEnter,
            alpha<ouch42::Token>(token),
            side,
            shares,
            alpha<ouch42::Stock>(stock),
            price,
            time_in_force,
            alpha<Alpha<4>>("FIRM"),
            'Y',
            'P',
            'N',
            0,
            'N',
            ' '};
}

inline ouch42::Replace ouch_replace(std::string_view existing, std::string_view replacement,
                                    std::uint32_t shares, std::uint32_t price) {
    return {ouch42::Type::kReplace,
            alpha<ouch42::Token>(existing),
            alpha<ouch42::Token>(replacement),
            shares,
            price,
            ouch42::kSystemHours,
            'Y',
            'N',
            0};
}

inline ouch42::Cancel ouch_cancel(std::string_view token, std::uint32_t shares = 0) {
    return {ouch42::Type::kCancel, alpha<ouch42::Token>(token), shares};
}

/// The packets of a server, of which the last may not be whole yet: type and payload in one text.
inline std::vector<std::string> soup_packets(std::string& bytes) {
    std::vector<std::string> packets;
    std::size_t at = 0;
    while (bytes.size() - at >= sizeof(soupbin::Header)) {
        soupbin::Header header;
        std::memcpy(&header, bytes.data() + at, sizeof header);
        if (bytes.size() - at < std::size_t{2} + header.length) break;
        packets.push_back(bytes.substr(at + 2, header.length));
        at += std::size_t{2} + header.length;
    }
    bytes.erase(0, at);
    return packets;
}

/// The payload of a packet that must hold this message.
template <class Message>
Message as_sequenced(const std::string& packet, ouch42::Type type) {
    Message message;
    REQUIRE(1 + sizeof message == packet.size());
    REQUIRE('S' == packet[0]);
    REQUIRE(static_cast<char>(type) == packet[1]);
    std::memcpy(&message, packet.data() + 1, sizeof message);
    return message;
}

template <std::size_t kSize>
std::string text_of(const Alpha<kSize>& text) {
    const std::string whole(text.data(), text.size());
    return whole.substr(0, whole.find_last_not_of(' ') + 1);
}

/// A sequenced message in words: what it is, whom it is about and its numbers.
inline std::string in_words(const std::string& packet) {
    using namespace ouch42;
    if (packet.size() < 2 || packet[0] != 'S') {
        return packet;
    }
    const auto number = [](std::uint64_t value) { return ' ' + std::to_string(value); };
    switch (static_cast<Type>(packet[1])) {
        case Type::kSystemEvent:
            return std::string("event ") +
                   as_sequenced<SystemEvent>(packet, Type::kSystemEvent).event;
        case Type::kAccepted: {
            const auto m = as_sequenced<Accepted>(packet, Type::kAccepted);
            return "accepted " + text_of(m.token) + number(m.shares) + number(m.price);
        }
        case Type::kReplaced: {
            const auto m = as_sequenced<Replaced>(packet, Type::kReplaced);
            return "replaced " + text_of(m.previous) + " by " + text_of(m.token) +
                   number(m.shares) + number(m.price);
        }
        case Type::kCanceled: {
            const auto m = as_sequenced<Canceled>(packet, Type::kCanceled);
            return "canceled " + text_of(m.token) + number(m.decrement) + ' ' + m.reason;
        }
        case Type::kExecuted: {
            const auto m = as_sequenced<Executed>(packet, Type::kExecuted);
            return "executed " + text_of(m.token) + number(m.shares) + number(m.price) + ' ' +
                   m.liquidity + number(m.match);
        }
        case Type::kRejected: {
            const auto m = as_sequenced<Rejected>(packet, Type::kRejected);
            return "rejected " + text_of(m.token) + ' ' + m.reason;
        }
        default: return packet;
    }
}

}  // namespace cluster::engine::test
