// Which protocols the engine speaks, and what a session of one needs to know.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "engine/order.h"
#include "engine/session.h"

namespace cluster::engine {

enum class Protocol : std::uint8_t { kOrderwire, kOuch42, kFix44 };

/// Who may log on.
struct Login {
    bool required = false;  ///< false: any name and password will do
    std::string user;
    std::string password;
};

/// The longest message that a client may send, in bytes.
std::size_t longest_request(Protocol protocol) noexcept;

/// A session of the protocol; none for orderwire, which has no sessions. `login` outlives it.
std::unique_ptr<Session> make_session(Protocol protocol, SessionId id, const Login& login, Now now);

}  // namespace cluster::engine
