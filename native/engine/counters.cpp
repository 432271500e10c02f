#include "engine/counters.h"

#include <numeric>
#include <sstream>

namespace cluster::engine {
namespace {

constexpr const char* kReasonNames[Counters::kReasons] = {
    "",          "unknown_order", "unknown_symbol", "bad_price", "bad_quantity", "duplicate_id",
    "bad_field", "book_full"};

struct Named {
    const char* name;
    std::uint64_t Counters::* field;
};

constexpr Named kFields[] = {
    {"new_limit", &Counters::new_limit},
    {"new_market", &Counters::new_market},
    {"new_ioc", &Counters::new_ioc},
    {"new_other", &Counters::new_other},
    {"replace", &Counters::replace},
    {"cancel", &Counters::cancel},
    {"accepted", &Counters::accepted},
    {"cancelled", &Counters::cancelled},
    {"trades", &Counters::trades},
    {"quantity_traded", &Counters::quantity_traded},
    {"remainders", &Counters::remainders},
    {"cancelled_on_disconnect", &Counters::cancelled_on_disconnect},
    {"replies_undeliverable", &Counters::replies_undeliverable},
    {"connections", &Counters::connections},
    {"closed_malformed", &Counters::closed_malformed},
    {"closed_not_reading", &Counters::closed_not_reading},
    {"connections_refused", &Counters::connections_refused},
    {"logins_refused", &Counters::logins_refused},
    {"closed_silent", &Counters::closed_silent},
    {"refused_unmatched", &Counters::refused_unmatched},
    {"garbled", &Counters::garbled},
    {"bytes_received", &Counters::bytes_received},
    {"bytes_sent", &Counters::bytes_sent},
};

void write_json(std::ostream& out, const Counters& counters) {
    out << "{\"orders\": " << counters.orders();
    for (const Named& named : kFields) {
        out << ", \"" << named.name << "\": " << counters.*named.field;
    }
    out << ", \"rejected\": {\"all\": " << counters.rejected_in_all();
    for (std::size_t reason = 1; reason < Counters::kReasons; ++reason) {
        out << ", \"" << kReasonNames[reason] << "\": " << counters.rejected[reason];
    }
    out << "}}";
}

void write_reasons(std::ostream& out, const Counters& counters) {
    const char* separator = " (";
    for (std::size_t reason = 1; reason < Counters::kReasons; ++reason) {
        if (counters.rejected[reason] != 0) {
            out << separator << counters.rejected[reason] << ' ' << kReasonNames[reason];
            separator = ", ";
        }
    }
    out << (counters.rejected_in_all() == 0 ? "" : ")");
}

void write_lines(std::ostream& out, const Counters& all) {
    out << "orders: " << all.orders() << " (new: " << all.new_limit << " limit, " << all.new_market
        << " market, " << all.new_ioc << " ioc; " << all.replace << " replace, " << all.cancel
        << " cancel)\n"
        << "answers: " << all.accepted << " accepted, " << all.cancelled << " cancelled, "
        << all.rejected_in_all() << " rejected";
    write_reasons(out, all);
    out << "\ntrades: " << all.trades << ", quantity " << all.quantity_traded << "; "
        << all.remainders << " remainders cancelled\n"
        << "connections: " << all.connections << ", of them closed for malformed bytes "
        << all.closed_malformed << ", for not reading " << all.closed_not_reading << "; "
        << all.cancelled_on_disconnect << " orders cancelled on disconnect\n";
    if (all.logins_refused + all.closed_silent + all.refused_unmatched + all.garbled != 0) {
        out << "sessions: " << all.logins_refused << " log-ons refused, " << all.closed_silent
            << " closed for silence; " << all.refused_unmatched
            << " requests refused before any book, " << all.garbled << " garbled messages\n";
    }
}

}  // namespace

void Counters::count_replies(std::span<const Reply> replies) noexcept {
    for (std::size_t at = 0; at < replies.size(); ++at) {
        const Reply& reply = replies[at];
        switch (reply.type) {
            case orderwire::Type::kAccepted: ++accepted; break;
            case orderwire::Type::kRejected: ++rejected[reply.detail % kReasons]; break;
            case orderwire::Type::kExecuted:
                ++trades;
                quantity_traded += reply.quantity;
                ++at;  // the other side's Executed tells of the same trade
                break;
            default:
                const bool requested =
                    reply.detail == static_cast<std::uint8_t>(orderwire::CancelReason::kRequested);
                ++(requested ? cancelled : remainders);
        }
    }
}

std::uint64_t Counters::rejected_in_all() const noexcept {
    return std::accumulate(rejected.begin(), rejected.end(), std::uint64_t{0});
}

Counters& Counters::operator+=(const Counters& other) noexcept {
    for (const Named& named : kFields) {
        this->*named.field += other.*named.field;
    }
    for (std::size_t reason = 0; reason < kReasons; ++reason) {
        rejected[reason] += other.rejected[reason];
    }
    return *this;
}

std::string describe(const std::vector<Counters>& by_thread) {
    Counters all;
    for (const Counters& counters : by_thread) {
        all += counters;
    }
    std::ostringstream out;
    write_lines(out, all);
    for (std::size_t index = 0; index < by_thread.size(); ++index) {
        out << "match-" << index << ": " << by_thread[index].orders() << " orders, "
            << by_thread[index].trades << " trades, " << by_thread[index].connections
            << " connections\n";
    }
    out << "{\"total\": ";
    write_json(out, all);
    out << ", \"threads\": [";
    for (std::size_t index = 0; index < by_thread.size(); ++index) {
        out << (index == 0 ? "" : ", ");
        write_json(out, by_thread[index]);
    }
    out << "]}\n";
    return out.str();
}

}  // namespace cluster::engine
