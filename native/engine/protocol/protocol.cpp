#include "engine/protocol/protocol.h"

#include "engine/protocol/fix44.h"
#include "engine/protocol/fix_message.h"
#include "engine/protocol/ouch42.h"
#include "engine/protocol/soupbin.h"

namespace cluster::engine {

std::size_t longest_request(Protocol protocol) noexcept {
    switch (protocol) {
        case Protocol::kOuch42: return SoupBin::kLongestPacket;
        case Protocol::kFix44: return FixFrame::kLongest;
        case Protocol::kOrderwire: break;
    }
    return orderwire::kLongestRequest;
}

std::unique_ptr<Session> make_session(Protocol protocol, SessionId id, const Login& login,
                                      Now now) {
    switch (protocol) {
        case Protocol::kOuch42: return std::make_unique<Ouch42Session>(id, login, now);
        case Protocol::kFix44: return std::make_unique<Fix44Session>(id, login, now);
        case Protocol::kOrderwire: break;
    }
    return nullptr;
}

}  // namespace cluster::engine
