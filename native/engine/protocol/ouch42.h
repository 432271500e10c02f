// An OUCH 4.2 session: what docs/engine.md says of it.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/protocol/client_orders.h"
#include "engine/protocol/soupbin.h"
#include "engine/session.h"
#include "wire/ouch42.h"

namespace cluster::engine {

class Ouch42Session final : public Session {
public:
    /// `login` outlives it.
    Ouch42Session(SessionId id, const Login& login, Now now);

    Taken take(std::span<const std::byte> bytes, Now now, Request& request,
               OutputBuffer& output) override;
    void reply(const Reply& reply, Now now, OutputBuffer& output) override;
    void tick(Now now, OutputBuffer& output) override;
    void farewell(Now now, OutputBuffer& output) override;
    void excuse_silence(Now now) override { soup_.excuse_silence(now); }

private:
    enum class Kind : std::uint8_t { kEnter, kReplace, kCancel };

    /// An order, or a request on its way. Most of it is only kept to be told again.
    struct Entry {
        Kind kind;
        bool has_token;  ///< requests to cancel have none of their own
        ouch42::Enter order;
        std::uint32_t symbol;
        std::uint32_t traded;  ///< with what the orders before it in its chain had traded
        std::uint64_t target;  ///< the number of the order that a replace or cancel means

        std::string_view name() const noexcept {
            return has_token ? std::string_view(order.token.data(), order.token.size())
                             : std::string_view{};
        }
    };

    bool take_message(std::span<const std::byte> data, Now now, Request& request,
                      OutputBuffer& output);
    bool enter(const ouch42::Enter& message, Now now, Request& request, OutputBuffer& output);
    bool replace(const ouch42::Replace& message, Request& request);
    bool cancel(const ouch42::Cancel& message, Request& request);
    void request_cancel(std::uint64_t target, std::uint32_t symbol, Request& request);

    void accepted(const Entry& entry, Now now, OutputBuffer& output);
    void replaced(Entry& entry, Now now, OutputBuffer& output);
    void executed(const Reply& reply, Entry& entry, Now now, OutputBuffer& output);
    void canceled(const Reply& reply, const Entry& entry, Now now, OutputBuffer& output);
    void rejected(const Reply& reply, const Entry& entry, Now now, OutputBuffer& output);
    void reject(const ouch42::Token& token, char reason, Now now, OutputBuffer& output);

    const SessionId id_;
    SoupBin soup_;
    ClientOrders<Entry> orders_;
    std::uint64_t references_ = 0;
};

}  // namespace cluster::engine
