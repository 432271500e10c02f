// What the worker asks of a network: the seam between the measuring and the sockets.
//
// A network is a type with two members: `Socket` with send, recv and shut_down, and `Poller`
// with wait. TcpNetwork is the real one; tests bring one that lives in virtual time.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace cluster {

enum class IoStatus : std::uint8_t {
    kOk,
    kWouldBlock,
    kClosed,  ///< the peer has ended the stream
    kReset,
    kFailed,
};

/// What one send or recv did.
struct IoResult {
    IoStatus status;
    std::size_t bytes;
};

/// A connection on which something happened.
struct Ready {
    std::uint32_t connection;
    bool readable;
    bool writable;
};

/// When the kernel handed a byte to the device: CLOCK_REALTIME, and which byte of those sent since
/// stamping began.
struct SendStamp {
    std::uint32_t last_byte = 0;
    std::int64_t realtime_ns = 0;
};

/// A socket whose kernel can stamp single sends and receives.
template <class S>
concept StampingSocket =
    requires(S& socket, std::span<const std::byte> out, std::span<std::byte> in,
             std::int64_t& realtime_ns, SendStamp& stamp) {
        { socket.send_stamped(out) } noexcept -> std::same_as<IoResult>;
        { socket.recv_stamped(in, realtime_ns) } noexcept -> std::same_as<IoResult>;
        { socket.take_stamp(stamp) } noexcept -> std::same_as<bool>;
    };

template <class N>
concept Network =
    requires(typename N::Socket& socket, typename N::Poller& poller, std::span<const std::byte> out,
             std::span<std::byte> in, std::int64_t wait_ns) {
        { socket.send(out) } noexcept -> std::same_as<IoResult>;
        { socket.recv(in) } noexcept -> std::same_as<IoResult>;
        { socket.shut_down() } noexcept;
        // Edge-triggered: what is reported once is not reported again until it happens anew.
        { poller.wait(wait_ns) } noexcept -> std::same_as<std::span<const Ready>>;
    };

}  // namespace cluster
