// Sessions of any protocol with one matcher behind them, without sockets, threads or a clock.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/matcher.h"
#include "engine/protocol/protocol.h"

namespace cluster::engine::test {

/// 2026-11-24 15:04:05.678901234 UTC.
inline constexpr std::int64_t kWallNs = 1'795'532'645'678'901'234;

/// Does with bytes, requests and replies what a matching thread does with them.
class Desk {
public:
    explicit Desk(Protocol protocol, Login login = {}, MatcherLimits limits = {})
        : protocol_(protocol), login_(std::move(login)), matcher_(limits) {}

    SessionId connect() {
        const auto id = static_cast<SessionId>(sessions_.size());
        sessions_.push_back({make_session(protocol_, id, login_, now), {}, {}});
        return id;
    }

    void send(SessionId id, std::string_view bytes) {
        sessions_[id].carry += bytes;
        std::size_t done = 0;
        while (sessions_[id].session->ending() == Ending::kNone) {
            Request request;
            const std::string_view rest = std::string_view(sessions_[id].carry).substr(done);
            const Taken taken = sessions_[id].session->take(std::as_bytes(std::span(rest)), now,
                                                            request, sessions_[id].output);
            if (taken.bytes == 0) break;
            done += taken.bytes;
            if (taken.is_request) match(id, request);
        }
        sessions_[id].carry.erase(0, done);
    }

    /// Everything that was sent to the client since this was last asked.
    std::string received(SessionId id) {
        OutputBuffer& output = sessions_[id].output;
        std::string bytes(reinterpret_cast<const char*>(output.data()), output.size());
        output.sent(output.size());
        return bytes;
    }

    /// So much time goes by, in ticks of a tenth of a second.
    void pass_ms(std::int64_t ms) {
        for (std::int64_t passed = 0; passed < ms; passed += 100) {
            now.steady_ns += 100'000'000;
            now.wall_ns += 100'000'000;
            for (Client& client : sessions_) {
                client.session->tick(now, client.output);
            }
        }
    }

    /// The books' own replies that sessions have not been told yet; see hold_replies().
    void release_replies() {
        for (const Reply& reply : std::exchange(held_, {})) {
            deliver(reply);
        }
    }

    /// From now on replies wait for release_replies(), as those of another thread do.
    void hold_replies() { holds_ = true; }

    Session& session(SessionId id) { return *sessions_[id].session; }
    OutputBuffer& output(SessionId id) { return sessions_[id].output; }
    Matcher& matcher() { return matcher_; }

    Now now{1'000'000'000'000, kWallNs};

private:
    struct Client {
        std::unique_ptr<Session> session;
        OutputBuffer output;
        std::string carry;
    };

    template <class Message>
    static Message as(const Request& request) {
        Message message;
        std::memcpy(&message, request.data(), sizeof message);
        return message;
    }

    void match(SessionId id, const Request& request) {
        std::vector<Reply> replies;
        const orderwire::Type type = as<orderwire::Header>(request).type;
        if (type == orderwire::Type::kNew) {
            matcher_.enter(id, as<orderwire::New>(request), replies);
        } else if (type == orderwire::Type::kCancel) {
            matcher_.cancel(id, as<orderwire::Cancel>(request), replies);
        } else if (type == kReplaceTotal) {
            matcher_.replace_total(id, as<orderwire::Replace>(request), replies);
        } else {
            matcher_.reduce(id, as<orderwire::Replace>(request), replies);
        }
        for (const Reply& reply : replies) {
            holds_ ? held_.push_back(reply) : deliver(reply);
        }
    }

    void deliver(const Reply& reply) {
        Client& client = sessions_[reply.session];
        client.session->reply(reply, now, client.output);
    }

    Protocol protocol_;
    Login login_;
    Matcher matcher_;
    std::vector<Client> sessions_;
    std::vector<Reply> held_;
    bool holds_ = false;
};

}  // namespace cluster::engine::test
