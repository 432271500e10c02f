#include "protocol/plan_reader.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "protocol/decoder.h"
#include "protocol/encoder.h"
#include "protocol/message_reader.h"
#include "protocol/plan_words.h"

namespace cluster::protocol {
namespace {

constexpr std::size_t kTextMax = 16U << 20;
constexpr std::size_t kRepliesMax = 1'024;
constexpr std::size_t kTableBytesMax = 8U << 20;
constexpr std::size_t kSymbolBytesMax = 64U << 20;  // of all texts that are still to come
constexpr std::size_t kSymbolsMax = 1'000'000;
constexpr std::int64_t kLongestWaitNs = 3'600'000'000'000;

bool names_itself(const Message& message) {
    return std::any_of(message.chunks.begin(), message.chunks.end(), [](const Chunk& chunk) {
        return std::any_of(chunk.patches.begin(), chunk.patches.end(),
                           [](const Patch& patch) { return patch.source == Source::kId; });
    });
}

class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    Plan read() {
        if (text_.size() > kTextMax) throw PlanError("plan: is larger than 16 MiB");
        if (next().word() != "loadcluster-plan" || line_->number(1, 1) != 1) {
            line_->fail("is no plan of version 1");
        }
        line_->end();
        while (at_ < text_.size()) {
            if (next().empty()) continue;
            statement();
            line_->end();
        }
        finish();
        return std::move(plan_);
    }

private:
    Words& next() {
        const std::size_t end = std::min(text_.find('\n', at_), text_.size());
        line_.emplace(text_.substr(at_, end - at_), ++number_);
        at_ = end + 1;
        return *line_;
    }

    void statement() {
        Words& line = *line_;
        const std::string_view what = line.word();
        if (what == "correlation") {
            plan_.manners.ids_in_replies = line.one_of<int>({"order", "id"}) == 1;
        } else if (what == "timed") {
            plan_.manners.timed_by_last = line.one_of<int>({"first", "last"}) == 1;
        } else if (what == "engine_clock") {
            plan_.engine_clock_wraps = line.one_of<int>({"epoch", "midnight"}) == 1;
        } else if (what == "frame") {
            read_frame();
        } else if (what == "limit") {
            Limit& limit = plan_.limits[line.one_of<std::size_t>(
                {"id", "target", "price", "size", "symbol", "client"})];
            limit.given = true;
            limit.min = line.number();
            limit.max = line.number();
        } else if (what == "table") {
            read_table();
        } else if (what == "symbols") {
            read_symbol_names();
        } else if (what == "draw") {
            read_draw();
        } else if (what == "message") {
            read_message();
        } else if (what == "send") {
            read_send();
        } else if (what == "reply") {
            read_reply_rule();
        } else if (what == "session") {
            read_session();
        } else {
            line.fail("begins with the unknown word `" + std::string(what) + "`");
        }
    }

    void read_frame() {
        Words& line = *line_;
        Frame& frame = plan_.frame;
        // Replies have been read by its kind.
        if (has_frame_) line.fail("comes a second time");
        frame.kind =
            line.one_of<FrameKind>({"fixed", "length", "type", "delimiter", "head", "resp", "fix"});
        has_frame_ = true;
        switch (frame.kind) {
            case FrameKind::kFixed: frame.min = frame.max = size(1, kFrameBytesMax); return;
            case FrameKind::kLength:
                frame.at = static_cast<std::uint16_t>(size(0, 4'096));
                frame.width = static_cast<std::uint16_t>(size(1, 8));
                frame.order = line.one_of<Order>({"little", "big"});
                frame.add = line.number(-4'096, 8'192);
                frame.min = size(std::size_t{frame.at} + frame.width, kFrameBytesMax);
                break;
            case FrameKind::kDelimiter:
            case FrameKind::kFix: frame.delimiter = line.text(); break;
            case FrameKind::kHead:
                frame.delimiter = line.text();
                frame.marker = line.text();
                break;
            case FrameKind::kType:
            case FrameKind::kResp: break;
        }
        const bool wants_delimiter = frame.kind == FrameKind::kDelimiter ||
                                     frame.kind == FrameKind::kHead ||
                                     frame.kind == FrameKind::kFix;
        if (wants_delimiter && frame.delimiter.empty()) line.fail("has an empty delimiter");
        frame.max =
            size(std::max({frame.min, frame.delimiter.size(), std::size_t{1}}), kFrameBytesMax);
    }

    void read_table() {
        Words& line = *line_;
        if (line.number() != std::ssize(plan_.tables)) line.fail("must be the next table");
        Table table;
        table.width = static_cast<std::uint16_t>(size(1, 1'024));
        if (line.takes("symbols")) {
            read_symbol_table(table);
            plan_.tables.push_back(std::move(table));
            return;
        }
        table.bytes = line.bytes();
        table.entries = table.bytes.size() / table.width;
        if (table.entries == 0 || table.bytes.size() % table.width != 0 ||
            table.bytes.size() > kTableBytesMax) {
            line.fail("has not one or more whole entries, or too many");
        }
        plan_.tables.push_back(std::move(table));
    }

    /// The memory is reserved now; nothing is allocated when the symbols come.
    void read_symbol_table(Table& table) {
        Words& line = *line_;
        table.awaits_symbols = true;
        table.entries = size(1, kSymbolsMax);
        const std::vector<std::byte> pad = line.bytes();
        if (pad.size() != 1) line.fail("must pad with one byte");
        table.justify = line.one_of<Justify>({"left", "right"});
        symbol_bytes_ += table.entries * table.width;
        if (symbol_bytes_ > kSymbolBytesMax) line.fail("takes too much memory for symbols");
        table.bytes.assign(table.entries * table.width, pad.front());
    }

    void read_symbol_names() {
        while (!line_->empty()) plan_.symbol_names.push_back(line_->text());
        if (plan_.symbol_names.size() > kSymbolsMax) line_->fail("names too many symbols");
    }

    void read_draw() {
        Words& line = *line_;
        if (line.number() != std::ssize(plan_.draws)) line.fail("must be the next draw");
        const std::string_view law = line.word();
        if (law == "uniform") {
            const std::int64_t from = line.number();
            plan_.draws.push_back(Draw::uniform(from, line.number(from, INT64_MAX)));
        } else if (law == "normal") {
            const double mean = line.real();
            const double deviation = line.real();
            const std::int64_t min = line.number();
            const std::int64_t max = line.number(min, INT64_MAX);
            if (!(deviation >= 0)) line.fail("has a deviation below 0");
            if (!std::isfinite(mean) || !std::isfinite(deviation)) line.fail("is not finite");
            plan_.draws.push_back(Draw::normal(mean, deviation, min, max));
        } else if (law == "zipf") {
            const auto count = static_cast<std::uint32_t>(size(1, Draw::kWeightsMax));
            const double exponent = line.real();
            if (!(exponent >= 0 && exponent <= 100)) line.fail("has an impossible exponent");
            plan_.draws.push_back(Draw::zipf(count, exponent));
        } else if (law == "weighted") {
            std::vector<double> weights;
            double sum = 0;
            while (!line.empty() && weights.size() < Draw::kWeightsMax) {
                weights.push_back(line.real());
                if (!(weights.back() >= 0)) line.fail("has a weight below 0");
                sum += weights.back();
            }
            if (!(sum > 0 && sum < 1e300)) line.fail("has no weight above 0");
            plan_.draws.push_back(Draw::weighted(weights));
        } else {
            line.fail("has an unknown law");
        }
    }

    /// The lines up to `end`.
    template <class Take>
    void block(Take take) {
        while (at_ < text_.size()) {
            const std::string_view what = next().word();
            if (what == "end") return;
            take(what);
            line_->end();
        }
        line_->fail("ends within a block");
    }

    void read_message() {
        const std::string name(line_->word());
        const bool by_target = line_->one_of<int>({"own", "target"}) == 1;
        line_->end();
        if (!messages_.emplace(name, plan_.messages.size()).second) {
            line_->fail("names a message that stands already");
        }
        MessageReader reader(plan_, texts_, name, by_target);
        block([&](std::string_view what) { reader.take(what, *line_); });
        plan_.messages.push_back(reader.finish(*line_));
    }

    std::uint16_t message_named() {
        const auto found = messages_.find(std::string(line_->word()));
        if (found == messages_.end()) line_->fail("names a message that the plan has not");
        return static_cast<std::uint16_t>(found->second);
    }

    void read_send() {
        const auto action = line_->one_of<unsigned>({"new", "replace", "cancel"});
        const unsigned kind =
            action == 0 ? line_->one_of<unsigned>({"limit", "market", "immediate_or_cancel"}) : 0;
        const auto side = line_->one_of<unsigned>({"buy", "sell"});
        plan_.sends[variant_of(action, kind, side)] = message_named();
    }

    void read_reply_rule() {
        Words& line = *line_;
        if (!has_frame_) line.fail("must come after `frame`");
        if (plan_.replies.size() == kRepliesMax) line.fail("is one reply too many");
        ReplyRule rule;
        rule.name = line.word();
        rule.meaning =
            line.one_of<Meaning>({"accepted", "rejected", "received", "executed", "filled",
                                  "cancelled", "unsolicited", "logged_on", "logon_refused",
                                  "heartbeat", "test_request", "resend_request", "logged_out"});
        rule.length = size(0, kFrameBytesMax);
        rule.is_exact = line.one_of<int>({"least", "exact"}) == 1;
        rule.names_order = line.one_of<int>({"request", "order"}) == 1;
        line.end();
        ReplyReader reader(plan_, texts_, std::move(rule));
        block([&](std::string_view what) { reader.take(what, *line_); });
        plan_.replies.push_back(reader.finish());
    }

    void read_session() {
        Words& line = *line_;
        SessionRules& session = plan_.session;
        const std::string_view what = line.word();
        if (what == "logon") {
            session.logon = message_named();
            session.logon_timeout_ns = line.number(1, kLongestWaitNs);
        } else if (what == "heartbeat") {
            session.heartbeat = message_named();
            session.heartbeat_every_ns = line.number(1'000'000, kLongestWaitNs);
        } else if (what == "silence") {
            session.silence_ns = line.number(1'000'000, kLongestWaitNs);
        } else if (what == "answer") {
            const std::string reply(line.word());
            answers_.emplace_back(reply, message_named());
        } else if (what == "logout") {
            session.logout = message_named();
            session.logout_timeout_ns = line.number(0, kLongestWaitNs);
        } else if (what == "sequence") {
            session.first_sequence = static_cast<std::uint64_t>(line.number(0, INT64_MAX));
        } else {
            line.fail("has the unknown word `" + std::string(what) + "`");
        }
    }

    std::size_t size(std::size_t min, std::size_t max) {
        return static_cast<std::size_t>(
            line_->number(static_cast<std::int64_t>(min), static_cast<std::int64_t>(max)));
    }

    /// What can be said only of the whole.
    void finish() {
        if (!has_frame_) throw PlanError("plan: says nothing about frames");
        if (plan_.messages.empty()) throw PlanError("plan: has no message to send");
        for (const auto& [reply, message] : answers_) set_answer(reply, message);
        ReplyManners& manners = plan_.manners;
        for (const Message& message : plan_.messages) {
            plan_.room = std::max(plan_.room, message.longest);
            manners.tracks_orders = manners.tracks_orders || message.answered_by_target;
            // Without an id of its own nothing can refuse it once its order is gone.
            manners.ignores_late =
                manners.ignores_late || (message.answered_by_target && !names_itself(message));
        }
        plan_.templates = OrderTemplates(plan_.messages, plan_.sends);
        plan_.room = std::max(plan_.room, plan_.templates.touched());
        plan_.orders_need_more = std::any_of(
            plan_.sends.begin(), plan_.sends.end(),
            [&](std::uint16_t index) { return index != kNone && !plan_.messages[index].is_plain; });
        const bool by_length = plan_.frame.kind == FrameKind::kType;
        for (const ReplyRule& rule : plan_.replies) {
            manners.has_received = manners.has_received || rule.meaning == Meaning::kReceived;
            manners.tells_ends = manners.tells_ends || rule.meaning == Meaning::kExecuted ||
                                 rule.meaning == Meaning::kFilled ||
                                 rule.meaning == Meaning::kCancelled;
            if (by_length && (rule.length == 0 || rule.length > plan_.frame.max)) {
                throw PlanError("plan: reply " + rule.name + " has no length or is too long");
            }
        }
        plan_.texts = texts_.names();
        order_replies();
    }

    void set_answer(const std::string& reply, std::uint16_t message) {
        bool found = false;
        for (ReplyRule& rule : plan_.replies) {
            if (rule.name != reply) continue;
            rule.answer = message;
            found = true;
        }
        if (!found) throw PlanError("plan: answers the reply " + reply + ", which it has not");
    }

    void order_replies() {
        for (const ReplyRule& rule : plan_.replies) plan_.shapes.push_back(shape_of(rule));
        if (plan_.frame.kind == FrameKind::kFix) {
            std::stable_sort(plan_.replies.begin(), plan_.replies.end(),
                             [](const ReplyRule& a, const ReplyRule& b) {
                                 return a.tag_matches.size() > b.tag_matches.size();
                             });
            return;
        }
        std::vector<std::vector<ByteMatch>> matches;
        for (const ReplyRule& rule : plan_.replies) matches.push_back(rule.matches);
        std::vector<std::size_t> lengths;
        if (plan_.frame.kind == FrameKind::kType) {
            for (const ReplyRule& rule : plan_.replies) lengths.push_back(rule.length);
        }
        plan_.dispatch = Dispatch(matches, lengths);
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t number_ = 0;
    std::optional<Words> line_;
    Plan plan_;
    bool has_frame_ = false;
    std::size_t symbol_bytes_ = 0;
    Texts texts_;
    std::map<std::string, std::size_t> messages_;
    std::vector<std::pair<std::string, std::uint16_t>> answers_;
};

}  // namespace

Plan read_plan(std::string_view text) {
    return Reader(text).read();
}

}  // namespace cluster::protocol
