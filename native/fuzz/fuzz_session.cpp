// A connection with its session, its orders and its books, against an engine that does anything.
//
// Input: the plan, the options, then steps of four bytes: what happens (see Step) and three
// arguments; some take bytes besides. Replies are made of the plan's own rules with the ids of
// orders that were sent, so that most of what is tried gets behind the framing.
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "client/connection.h"
#include "client/errors.h"
#include "client/logon_exchange.h"
#include "client/wire_codec.h"
#include "fuzz/demand.h"
#include "fuzz/golden_plans.h"
#include "fuzz/input.h"
#include "fuzz/mutate.h"
#include "tests/client/byte_link.h"
#include "tests/client/reply_builder.h"

namespace {

using namespace cluster;

constexpr std::size_t kHead = 2;
constexpr std::size_t kStepBytes = 4;
constexpr std::size_t kStepsMax = 300;
constexpr std::int64_t kTimeoutNs = kNsPerS;
constexpr std::int64_t kTickNs = 20 * kNsPerMs;
constexpr std::int64_t kLeapNs = 4 * kNsPerS;
constexpr std::uint64_t kFirstId = 1'000;

enum class Step : std::uint8_t {
    kTake,
    kFlush,
    kReply,
    kReplyTwice,
    kCutReply,
    kLongReply,
    kWrongReply,
    kRaw,
    kReceive,
    kTick,
    kLeap,
    kNarrow,
    kWiden,
    kEndOfStream,
    kSendFails,
    kLogOut,
};
constexpr std::uint8_t kSteps = 16;

const protocol::Plan& plan_of(std::uint8_t choice) {
    return fuzz::golden_plans()[choice % fuzz::golden_plans().size()];
}

/// All that an order may ask for, as far as the plan can say it. Periodic: what a request acts on
/// stands in the same period.
std::vector<Intent> flow_for(const protocol::Plan& plan) {
    std::vector<Intent> flow{
        {100, 5, 1, 0, Action::kNew, OrderKind::kLimit, OrderSide::kBuy},
        {101, 6, 2, 0, Action::kNew, OrderKind::kImmediateOrCancel, OrderSide::kSell},
        {0, 7, 3, 0, Action::kNew, OrderKind::kMarket, OrderSide::kBuy},
        {103, 8, 4, 0, Action::kNew, OrderKind::kLimit, OrderSide::kSell},
        {104, 9, 4, 1, Action::kReplace, OrderKind::kLimit, OrderSide::kSell},
        {0, 0, 1, 5, Action::kCancel, OrderKind::kLimit, OrderSide::kBuy},
        {0, 0, 4, 2, Action::kCancel, OrderKind::kLimit, OrderSide::kSell},
    };
    for (Intent& intent : flow) {
        const auto variant = protocol::variant_of(static_cast<unsigned>(intent.action),
                                                  static_cast<unsigned>(intent.kind),
                                                  static_cast<unsigned>(intent.side));
        if (plan.sends[variant] == protocol::kNone) intent = flow.front();
    }
    return flow;
}

/// Made once: half a megabyte per second of load.
IntervalChannel& channel() {
    static IntervalChannel made;
    return made;
}

ActivityChannel& activity_channel() {
    static ActivityChannel made;
    return made;
}

std::uint64_t total(const SparseHistogram& histogram) {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : histogram.counts) sum += count;
    return sum;
}

std::uint64_t fates(const Books& books) {
    return books.accepted + books.rejected + books.timed_out + books.lost;
}

template <bool kClosedLoop>
class Session {
public:
    Session(const protocol::Plan& plan, std::uint8_t options, fuzz::Input& input)
        : plan_(plan),
          input_(input),
          builder_(plan),
          flow_(flow_for(plan)),
          limit_(1U << (options >> 1 & 3)),
          recorder_(channel(), activity_channel(), start_ns_) {
        clock_.at_ns = start_ns_;
        link_.chunk = (options & 8) != 0 ? 7 : 65'536;
        begin((options & 16) != 0 ? 2 : 64);
    }

    void run() {
        for (std::size_t step = 0; step < kStepsMax && !input_.empty(); ++step) {
            act();
            check_running();
        }
        settle();
        check_end();
    }

private:
    using Link = Connection<test::ByteSocket, WireCodec, kClosedLoop>;

    /// Logged on as by a good engine; more than its answer may have come with it.
    void begin(std::uint32_t living_orders) {
        WireCodec codec(plan_, Random(1), {kFirstId, 3});
        std::vector<std::byte> rest;
        if (plan_.session.logon != protocol::kNone) {
            const std::string peer = "engine:1";
            LogonExchange exchange(codec, peer);
            const auto answer = std::find_if(
                plan_.replies.begin(), plan_.replies.end(), [](const protocol::ReplyRule& rule) {
                    return rule.meaning == protocol::Meaning::kLoggedOn;
                });
            std::vector<std::byte> bytes = builder_.build(*answer, {});
            const auto more = input_.bytes(input_.byte());
            bytes.insert(bytes.end(), more.begin(), more.end());
            exchange.receive(bytes);
            fuzz::demand(exchange.is_done(), "a session begins when the engine says so");
            rest = exchange.take_rest();
            heard_ += rest.size();
        }
        link_end_ = std::make_unique<Link>(test::ByteSocket{&link_}, std::move(codec), flow_,
                                           ConnectionPlan{limit_, kTimeoutNs, living_orders}, rest);
    }

    void act() {
        const auto step = static_cast<Step>(input_.byte() % kSteps);
        const std::uint8_t a = input_.byte();
        const std::uint8_t b = input_.byte();
        const std::uint8_t c = input_.byte();
        switch (step) {
            case Step::kTake: return take(1 + a % 16);
            case Step::kFlush: return flush();
            case Step::kReply: return hear(reply(a, b, c));
            case Step::kReplyTwice: {
                hear(reply(a, b, c));
                return hear(reply(a, b, c));
            }
            case Step::kCutReply: {
                std::vector<std::byte> bytes = reply(a, b, 0);
                bytes.resize(bytes.size() - std::min<std::size_t>(bytes.size(), c));
                return hear(bytes);
            }
            case Step::kLongReply: {
                std::vector<std::byte> bytes = reply(a, b, 0);
                bytes.resize(bytes.size() + c, std::byte{'1'});
                return hear(bytes);
            }
            case Step::kWrongReply: {
                std::vector<std::byte> bytes = reply(a, b, 0);
                if (!bytes.empty()) bytes[c % bytes.size()] ^= std::byte{0x11};
                return hear(bytes);
            }
            case Step::kRaw: return hear(input_.bytes(a % 64));
            case Step::kReceive: return receive();
            case Step::kTick: return pass_time(1 + a % 100, kTickNs);
            case Step::kLeap: return pass_time(1 + a % 4, kLeapNs);
            case Step::kNarrow: link_.window = a; return;
            case Step::kWiden:
                link_.window = 1U << 20;
                link_end_->set_writable();
                return;
            case Step::kEndOfStream:
                link_.when_empty = std::array{IoStatus::kClosed, IoStatus::kReset,
                                              IoStatus::kFailed, IoStatus::kWouldBlock}[a % 4];
                return receive();
            case Step::kSendFails:
                link_.when_sending =
                    std::array{IoStatus::kReset, IoStatus::kFailed, IoStatus::kOk}[a % 3];
                return;
            case Step::kLogOut: return settle();
        }
    }

    void take(int orders) {
        for (; orders > 0 && !settled_ && link_end_->can_take(); --orders) {
            link_end_->take(clock_.at_ns, kClosedLoop ? nullptr : recorder_.intend(clock_.at_ns));
            ++taken_;
        }
    }

    void flush() {
        if (link_end_->wants_to_send()) link_end_->flush(clock_, recorder_, traffic_);
    }

    void hear(std::span<const std::byte> bytes) {
        link_.say(bytes);
        heard_ += bytes.size();
        receive();
    }

    void receive() {
        const std::size_t calls_max = 2 + link_.incoming.size();
        for (std::size_t calls = 0; link_end_->is_open(); ++calls) {
            fuzz::demand(calls < calls_max, "receiving ends");
            const std::size_t before = link_.incoming.size();
            const bool more = link_end_->receive(clock_, scratch(), recorder_, traffic_);
            if (!more || link_.incoming.size() == before) break;
        }
    }

    void pass_time(int times, std::int64_t step_ns) {
        for (; times > 0; --times) {
            clock_.at_ns += step_ns;
            if (!settled_) {
                link_end_->expire(clock_.at_ns, recorder_);
                link_end_->keep_alive(clock_.at_ns, recorder_, traffic_);
                recorder_.pass(clock_.at_ns);
            }
            ++ticks_;
        }
        channel().collect(intervals_);
        activity_channel().collect(activity_);
    }

    /// A reply of rule `a`; its id is that of the `b`-th order back, or of none.
    std::vector<std::byte> reply(std::uint8_t a, std::uint8_t b, std::uint8_t c) {
        if (plan_.replies.empty()) return {};
        constexpr std::array<std::int64_t, 8> kNumbers{
            0, 5, 6, 100, -1, 0x1'0000'0000, INT64_MAX, INT64_MIN};
        const protocol::ReplyRule& rule = plan_.replies[a % plan_.replies.size()];
        const std::uint64_t id =
            kFirstId + taken_ - 1 - static_cast<std::uint64_t>(static_cast<std::int8_t>(b));
        ++sequence_;
        return builder_.build(rule, {id, (c & 0x80) != 0 ? kNumbers[c & 7] : sequence_,
                                     kNumbers[c & 7], kNumbers[c >> 3 & 7], kNumbers[c >> 4 & 7],
                                     kNumbers[c >> 2 & 7], (c & 0x40) != 0 ? "\x1b[2J\xff" : ""});
    }

    /// As the worker ends a level; the engine may still say something.
    void settle() {
        if (settled_) return;
        settled_ = true;
        link_end_->abandon(recorder_);
        link_end_->log_out();
        flush();
    }

    static std::span<std::byte> scratch() {
        static std::vector<std::byte> bytes(65'536);
        return bytes;
    }

    void check_running() {
        const Books& books = recorder_.totals();
        fuzz::demand(fates(books) <= books.sent, "only sent orders meet their fate");
        fuzz::demand(books.sent + books.unsent <= books.intended, "only intended orders are sent");
        fuzz::demand(link_end_->waiting() <= limit_, "no more orders wait than may");
        const std::uint64_t open = books.intended - books.unsent - fates(books);
        if constexpr (kClosedLoop) {
            fuzz::demand(open <= link_end_->waiting(), "what is sent and has no fate waits");
        } else {
            fuzz::demand(open == link_end_->waiting(), "what has no fate waits");
        }
        // One answer per message heard, of at least two bytes; one heartbeat per tick.
        const std::uint64_t messages = 2 + taken_ + heard_ / 2 + ticks_;
        fuzz::demand(link_.sent.size() <= messages * plan_.room, "what is sent is bounded");
        std::uint64_t errors = 0;
        for (std::size_t kind = 0; kind < kErrorKinds; ++kind) {
            // Of time that passes, not of what is heard.
            if (static_cast<ErrorKind>(kind) == ErrorKind::kActivityOverrun) continue;
            errors += recorder_.errors()[static_cast<ErrorKind>(kind)];
        }
        // A reply may break the sequence, be a second one and tell an impossible time.
        fuzz::demand(errors <= 4 * (heard_ + taken_) + ticks_ + 8, "errors are counted once");
    }

    void check_end() {
        if (!link_end_->is_open()) fuzz::demand(link_.shut_down, "what is closed is shut down");
        // So that the last set has an order and is handed over.
        recorder_.unsent(*recorder_.intend(clock_.at_ns));
        const Books books = recorder_.totals();
        recorder_.finish();
        channel().collect(intervals_);
        activity_channel().collect(activity_);
        std::uint64_t sends = 0;
        for (const Activity& second : activity_) {
            for (const std::uint32_t orders : second.sent_per_ms) sends += orders;
        }
        fuzz::demand(sends == books.sent, "each sent order has its ms");
        Books sum;
        std::uint64_t due = 0;
        std::uint64_t coarse = 0;
        std::uint64_t responses = 0;
        std::uint64_t services = 0;
        std::uint64_t lags = 0;
        for (const Interval& interval : intervals_) {
            fuzz::demand(interval.books.balanced(), "each second's books balance");
            sum += interval.books;
            responses += total(interval.response);
            services += total(interval.service);
            lags += total(interval.send_lag);
            for (const std::uint32_t orders : interval.slots.due) due += orders;
            for (const std::uint32_t orders : interval.slots.counts) coarse += orders;
        }
        fuzz::demand(due == books.intended, "each order has its slot");
        fuzz::demand(coarse == responses, "each answer is in its slot");
        fuzz::demand(books.balanced(), "the books balance");
        fuzz::demand(sum == books, "the seconds' books are the totals");
        fuzz::demand(responses == books.accepted + books.rejected, "each answer has its response");
        fuzz::demand(services == responses, "each answer has its service time");
        if (!kClosedLoop) fuzz::demand(lags == books.sent, "each sent order has its lag");
    }

    const protocol::Plan& plan_;
    fuzz::Input& input_;
    test::ReplyBuilder builder_;
    std::vector<Intent> flow_;
    std::uint32_t limit_;
    std::int64_t start_ns_ = kNsPerS;
    Recorder recorder_;
    TrafficCounts traffic_;
    test::SetClock clock_;
    test::ByteLink link_;
    std::unique_ptr<Link> link_end_;
    std::vector<Interval> intervals_;
    std::vector<Activity> activity_;
    std::uint64_t taken_ = 0;
    std::uint64_t heard_ = 0;  ///< bytes
    std::uint64_t ticks_ = 0;
    std::int64_t sequence_ = 0;
    bool settled_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const protocol::Plan& plan = plan_of(input.byte());
    const std::uint8_t options = input.byte();
    if ((options & 1) != 0) {
        Session<true>(plan, options, input).run();
    } else {
        Session<false>(plan, options, input).run();
    }
    return 0;
}

/// Whole steps, and the usual ones more often than the others.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
    Random random(seed);
    if (size < kHead || random.below(2) == 0) return LLVMFuzzerMutate(data, size, most);
    constexpr std::array kUsual{Step::kTake, Step::kFlush, Step::kReply, Step::kReply, Step::kTick};
    for (std::uint32_t steps = 1 + random.below(4); steps > 0; --steps) {
        if (size + kStepBytes > most) break;
        const auto places = static_cast<std::uint32_t>((size - kHead) / kStepBytes + 1);
        const std::size_t at = kHead + kStepBytes * random.below(places);
        std::copy_backward(data + at, data + size, data + size + kStepBytes);
        size += kStepBytes;
        data[at] = random.below(4) == 0
                       ? static_cast<std::uint8_t>(random.below(kSteps))
                       : static_cast<std::uint8_t>(kUsual[random.below(kUsual.size())]);
        data[at + 1] = static_cast<std::uint8_t>(random.next());
        data[at + 2] = static_cast<std::uint8_t>(random.below(8));
        data[at + 3] = static_cast<std::uint8_t>(random.below(2) == 0 ? 0 : random.next());
    }
    return size;
}
