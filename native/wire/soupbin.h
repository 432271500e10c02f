// SoupBinTCP 3.0: the packets that carry a session of sequenced messages over TCP.
#pragma once

#include <cstddef>
#include <cstdint>

#include "wire/big_endian.h"

namespace cluster::soupbin {

/// What a packet is. The client sends the lower half, the server the upper; debug packets both.
enum class Type : char {
    kDebug = '+',
    kLoginAccepted = 'A',
    kLoginRejected = 'J',
    kSequencedData = 'S',
    kServerHeartbeat = 'H',
    kEndOfSession = 'Z',
    kLoginRequest = 'L',
    kUnsequencedData = 'U',
    kClientHeartbeat = 'R',
    kLogoutRequest = 'O',
};

enum class RejectReason : char { kNotAuthorized = 'A', kNoSession = 'S' };

/// Starts every packet, both ways.
struct Header {
    BigEndian<std::uint16_t> length;  ///< of what follows these two bytes: the type and the payload
    Type type;
};

struct LoginRequest {
    Header header;
    Alpha<6> user;
    Alpha<10> password;
    Alpha<10> session;   ///< blank: whichever is current
    Alpha<20> sequence;  ///< digits: the number of the first message wanted; 0: from now on
};

struct LoginAccepted {
    Header header;
    Alpha<10> session;   ///< padded on the left
    Alpha<20> sequence;  ///< digits, padded on the left: the number of the next sequenced message
};

struct LoginRejected {
    Header header;
    RejectReason reason;
};

static_assert(sizeof(Header) == 3);
static_assert(sizeof(LoginRequest) == 49);
static_assert(sizeof(LoginAccepted) == 33);
static_assert(sizeof(LoginRejected) == 4);

/// The header of a packet with so many bytes of payload.
constexpr Header header(Type type, std::size_t payload) noexcept {
    return {static_cast<std::uint16_t>(payload + 1), type};
}

}  // namespace cluster::soupbin
