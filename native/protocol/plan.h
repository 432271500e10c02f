// A compiled wire schema: what the hot path reads. Made once by read_plan, then never changed,
// but for the texts of a file's symbols (Table::awaits_symbols).
//
// cluster/protocol/ makes the plan's text from YAML.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "protocol/dispatch.h"
#include "protocol/draw.h"
#include "protocol/message.h"
#include "protocol/order_templates.h"
#include "protocol/reply_rule.h"

namespace cluster::protocol {

/// What keeps a session alive. Indices of messages; kNone: the protocol has no such thing.
struct SessionRules {
    std::uint16_t logon = kNone;
    std::int64_t logon_timeout_ns = 0;
    std::uint16_t heartbeat = kNone;
    std::int64_t heartbeat_every_ns = 0;
    std::int64_t silence_ns = 0;  ///< an engine silent for longer has gone; 0: never
    std::uint16_t logout = kNone;
    std::int64_t logout_timeout_ns = 0;
    std::uint64_t first_sequence = 1;
};

/// The values that a field can take without being cut.
struct Limit {
    bool given = false;
    std::int64_t min = 0;
    std::int64_t max = 0;
};

/// Fixed-width texts by number.
struct Table {
    std::uint16_t width = 0;
    std::size_t entries = 0;
    std::vector<std::byte> bytes;
    /// Entries are padding until a file's symbols are written there: the only bytes of a plan that
    /// change, and client/replay_wire_symbols.h says when.
    bool awaits_symbols = false;
    Justify justify = Justify::kLeft;  ///< of those symbols
};

struct Plan {
    ReplyManners manners;
    bool engine_clock_wraps = false;  ///< its times count from midnight
    Frame frame;
    std::array<Limit, kOrderSources> limits;
    std::vector<Table> tables;
    std::vector<std::string> symbol_names;  ///< what a file's symbols must be; their numbers
    std::vector<Draw> draws;
    std::vector<Message> messages;
    Sends sends = no_sends();
    std::vector<ReplyRule> replies;
    std::vector<ReplyShape> shapes;   ///< of the replies
    Dispatch dispatch;                ///< not for kFix
    std::vector<std::uint32_t> tags;  ///< that replies are read by; rules name them by index
    SessionRules session;
    std::vector<std::string>
        texts;  ///< names of kept texts and secrets: session.token, secret.PASSWORD

    OrderTemplates templates;
    bool orders_need_more = false;  ///< an order's message has more than plain patches
    std::size_t room = 0;           ///< bytes that encoding any message may touch
};

}  // namespace cluster::protocol
