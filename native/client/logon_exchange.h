// What is said until a session has begun, without sockets: bytes in, bytes out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "client/wire_codec.h"

namespace cluster {

/// One session that is being begun. The plan has a logon; `codec` and `peer` outlive this.
class LogonExchange {
public:
    LogonExchange(WireCodec& codec, const std::string& peer);

    bool is_done() const noexcept { return done_; }

    /// Takes what the engine has sent. Throws LoadError when it refuses, or when it says what is
    /// no message.
    void receive(std::span<const std::byte> bytes);

    /// What is to be sent now.
    std::vector<std::byte> take_pending() noexcept { return std::exchange(pending_, {}); }

    /// Once done: the bytes that came with the answer and belong to what follows.
    std::vector<std::byte> take_rest() noexcept { return std::exchange(received_, {}); }

    [[noreturn]] void fail(const std::string& why) const;

private:
    void act_on(const protocol::Reply& reply);
    std::string reason_of(const protocol::Reply& reply) const;
    void say(std::uint16_t message);

    WireCodec& codec_;
    const std::string& peer_;
    std::vector<std::byte> received_;
    std::vector<std::byte> pending_;
    bool done_ = false;
};

}  // namespace cluster
