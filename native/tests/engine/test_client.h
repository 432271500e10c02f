// A plain blocking client for tests of the engine: slow, bounded in time, and strict.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client/file_descriptor.h"
#include "wire/orderwire.h"

namespace cluster::engine::test {

/// Any reply with all its fields; those that its type lacks are 0.
struct ReplyMessage {
    orderwire::Type type;
    std::uint8_t detail;
    std::uint32_t symbol;
    std::uint64_t order_id;
    std::uint64_t received_ns;
    std::uint64_t replied_ns;
    std::int64_t price_ticks = 0;
    std::uint32_t quantity = 0;
    std::uint32_t remaining = 0;
};

inline ReplyMessage parse_reply(const std::byte* bytes) {
    orderwire::ReplyHeader header;
    std::memcpy(&header, bytes, sizeof header);
    ReplyMessage reply{header.header.type, header.header.detail,      header.header.symbol,
                       header.order_id,    header.engine_received_ns, header.engine_replied_ns};
    if (reply.type == orderwire::Type::kExecuted) {
        orderwire::Executed message;
        std::memcpy(&message, bytes, sizeof message);
        reply.price_ticks = message.price_ticks;
        reply.quantity = message.quantity;
        reply.remaining = message.remaining;
    } else if (reply.type == orderwire::Type::kCancelled) {
        orderwire::Cancelled message;
        std::memcpy(&message, bytes, sizeof message);
        reply.quantity = message.quantity;
    }
    return reply;
}

class TestClient {
public:
    static constexpr int kPatienceMs = 10'000;

    explicit TestClient(std::uint16_t port) {
        socket_ = FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(0 ==
                ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address));
        const int on = 1;
        ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }

    template <class Message>
    void send(const Message& message) {
        send_bytes(std::as_bytes(std::span(&message, 1)));
    }

    void send_bytes(std::span<const std::byte> bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            REQUIRE(sent > 0);
            bytes = bytes.subspan(static_cast<std::size_t>(sent));
        }
    }

    void send_text(std::string_view text) { send_bytes(std::as_bytes(std::span(text))); }

    /// How many bytes the kernel took; 0 when it took none within `patience_ms`.
    std::size_t offer_bytes(std::span<const std::byte> bytes, int patience_ms) {
        pollfd wait{socket_.get(), POLLOUT, 0};
        if (::poll(&wait, 1, patience_ms) <= 0) return 0;
        const ssize_t sent =
            ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        return sent > 0 ? static_cast<std::size_t>(sent) : 0;
    }

    /// The next reply; nothing when the engine has closed the connection.
    std::optional<ReplyMessage> next() {
        while (true) {
            if (const auto reply = take_buffered()) return reply;
            pollfd wait{socket_.get(), POLLIN, 0};
            REQUIRE_MESSAGE(::poll(&wait, 1, kPatienceMs) == 1, "the engine does not answer");
            std::byte chunk[16'384];
            const ssize_t count = ::recv(socket_.get(), chunk, sizeof chunk, 0);
            if (count <= 0) return std::nullopt;
            buffer_.insert(buffer_.end(), chunk, chunk + count);
        }
    }

    /// Whatever comes next, in any protocol; nothing when the engine has closed the connection.
    std::string next_bytes() {
        pollfd wait{socket_.get(), POLLIN, 0};
        REQUIRE_MESSAGE(::poll(&wait, 1, kPatienceMs) == 1, "the engine does not answer");
        char chunk[16'384];
        const ssize_t count = ::recv(socket_.get(), chunk, sizeof chunk, 0);
        return count <= 0 ? std::string() : std::string(chunk, static_cast<std::size_t>(count));
    }

    ReplyMessage must_get(orderwire::Type type) {
        const auto reply = next();
        REQUIRE(reply.has_value());
        REQUIRE(type == reply->type);
        return *reply;
    }

    /// True when the engine closes the connection without another reply.
    bool is_closed_now() { return !next().has_value(); }

    /// Sends nothing more.
    void finish() { ::shutdown(socket_.get(), SHUT_WR); }

private:
    std::optional<ReplyMessage> take_buffered() {
        if (buffer_.size() - taken_ < sizeof(orderwire::Header)) return std::nullopt;
        orderwire::Header header;
        std::memcpy(&header, buffer_.data() + taken_, sizeof header);
        REQUIRE(orderwire::length_of(header.type) == header.length);
        REQUIRE(static_cast<std::uint8_t>(header.type) >= 0x81);
        if (buffer_.size() - taken_ < header.length) return std::nullopt;
        const ReplyMessage reply = parse_reply(buffer_.data() + taken_);
        taken_ += header.length;
        if (taken_ == buffer_.size()) {
            buffer_.clear();
            taken_ = 0;
        }
        return reply;
    }

    FileDescriptor socket_;
    std::vector<std::byte> buffer_;
    std::size_t taken_ = 0;
};

}  // namespace cluster::engine::test
