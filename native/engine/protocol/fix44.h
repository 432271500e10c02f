// A FIX 4.4 session with its orders: what docs/engine.md says of it.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/protocol/client_orders.h"
#include "engine/protocol/fix_session.h"
#include "engine/session.h"

namespace cluster::engine {

class Fix44Session final : public Session {
public:
    static constexpr std::size_t kClOrdIdMax = 40;
    static constexpr std::size_t kSymbolMax = 16;

    /// `login` outlives it.
    Fix44Session(SessionId id, const Login& login, Now now);

    Taken take(std::span<const std::byte> bytes, Now now, Request& request,
               OutputBuffer& output) override;
    void reply(const Reply& reply, Now now, OutputBuffer& output) override;
    void tick(Now now, OutputBuffer& output) override;
    void farewell(Now now, OutputBuffer& output) override;
    void excuse_silence(Now now) override { fix_.excuse_silence(now); }

private:
    enum class Kind : std::uint8_t { kNew, kReplace, kCancel };

    /// An order, or a request on its way.
    struct Entry {
        Kind kind = Kind::kNew;
        char side = '1';
        char type = '2';
        char time_in_force = '0';
        ShortText<kClOrdIdMax> id;
        ShortText<kClOrdIdMax> original;  ///< of the order that a replace or cancel means
        ShortText<kSymbolMax> symbol_text;
        std::uint32_t symbol = 0;
        std::uint32_t quantity = 0;  ///< of the whole chain of orders, as is `traded`
        std::uint32_t traded = 0;
        std::int64_t price_ticks = 0;
        double turnover = 0;         ///< traded lots times ticks, of the chain
        std::uint64_t order_id = 0;  ///< what the engine calls the chain
        std::uint64_t target = 0;    ///< the number of the order that a replace or cancel means

        std::string_view name() const noexcept { return id.view(); }
    };

    bool take_application(Now now, Request& request, OutputBuffer& output);
    bool has_all(std::initializer_list<int> tags, Now now, OutputBuffer& output);
    bool enter(Now now, Request& request, OutputBuffer& output);
    bool replace(Now now, Request& request, OutputBuffer& output);
    bool cancel(Now now, Request& request, OutputBuffer& output);
    std::string_view fault_of_terms(const Entry& order) const noexcept;

    void executed(const Reply& reply, Entry& order, Now now, OutputBuffer& output);
    void accepted(const Reply& reply, Entry& order, Now now, OutputBuffer& output);
    void canceled(const Reply& reply, Entry& request, Now now, OutputBuffer& output);
    void rejected(const Reply& reply, Entry& request, Now now, OutputBuffer& output);

    /// An ExecutionReport; what every one has.
    FixWriter report(char exec_type, char status, const Entry& order, std::uint32_t open, Now now);
    void refuse_order(const Entry& order, int reason, std::string_view text, Now now,
                      OutputBuffer& output);
    void refuse_change(const Entry& request, const Entry* target, int reason, std::string_view text,
                       Now now, OutputBuffer& output);
    ShortText<kClOrdIdMax> id_of(std::uint64_t count) const;

    const SessionId session_;
    FixSession fix_;
    ClientOrders<Entry> orders_;
    std::uint64_t order_ids_ = 0;
    std::uint64_t executions_ = 0;
};

}  // namespace cluster::engine
