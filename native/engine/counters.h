// What an engine handled, for the lines it prints when it stops.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/matcher.h"
#include "engine/request.h"
#include "wire/orderwire.h"

namespace cluster::engine {

/// Counted by one matching thread and read after it has ended. Requests, answers and trades count
/// where they were matched; connections and bytes where the connection is served.
struct Counters {
    static constexpr std::size_t kReasons = 8;  ///< RejectReason 1 to 7; 0 is not used

    std::uint64_t new_limit = 0;
    std::uint64_t new_market = 0;
    std::uint64_t new_ioc = 0;
    std::uint64_t new_other = 0;  ///< of an order type that does not exist
    std::uint64_t replace = 0;
    std::uint64_t cancel = 0;
    std::uint64_t accepted = 0;
    std::uint64_t cancelled = 0;  ///< answers to Cancel
    std::array<std::uint64_t, kReasons> rejected{};
    std::uint64_t trades = 0;  ///< each is two Executed
    std::uint64_t quantity_traded = 0;
    std::uint64_t remainders = 0;  ///< market and IOC orders whose rest was cancelled
    std::uint64_t cancelled_on_disconnect = 0;
    std::uint64_t replies_undeliverable = 0;  ///< to connections that had gone
    std::uint64_t connections = 0;
    std::uint64_t closed_malformed = 0;     ///< connections that sent bytes that are no request
    std::uint64_t closed_not_reading = 0;   ///< connections whose unread replies passed the bound
    std::uint64_t connections_refused = 0;  ///< no file descriptor was left for them
    std::uint64_t logins_refused = 0;       ///< connections closed because of who logged on, or how
    std::uint64_t closed_silent = 0;        ///< connections whose client sent no heartbeat
    std::uint64_t refused_unmatched = 0;    ///< requests that a protocol refused before any book
    std::uint64_t garbled = 0;              ///< messages passed over because they came garbled
    std::uint64_t bytes_received = 0;
    std::uint64_t bytes_sent = 0;

    /// A request by its type and, if it is a New, by its order type, which need not exist.
    void count_request(const orderwire::Header& request) noexcept {
        if (request.type == orderwire::Type::kNew) {
            switch (static_cast<orderwire::OrderType>(request.detail)) {
                case orderwire::OrderType::kLimit: ++new_limit; break;
                case orderwire::OrderType::kMarket: ++new_market; break;
                case orderwire::OrderType::kImmediateOrCancel: ++new_ioc; break;
                default: ++new_other;
            }
        } else {
            const bool replaces =
                request.type == orderwire::Type::kReplace || request.type == kReplaceTotal;
            ++(replaces ? replace : cancel);
        }
    }

    /// The replies to one request.
    void count_replies(std::span<const Reply> replies) noexcept;

    Counters& operator+=(const Counters& other) noexcept;

    std::uint64_t orders() const noexcept {
        return new_limit + new_market + new_ioc + new_other + replace + cancel;
    }
    std::uint64_t rejected_in_all() const noexcept;
};

/// Lines for people, then one line of JSON for machines.
std::string describe(const std::vector<Counters>& by_thread);

}  // namespace cluster::engine
