#include "client/time_stamps.h"

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "client/clock.h"

namespace cluster {
namespace {

// Of the payload nothing comes back; stamps are told apart by their last byte's number since now.
constexpr unsigned kFlags = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE |
                            SOF_TIMESTAMPING_OPT_TSONLY | SOF_TIMESTAMPING_OPT_ID;

std::string sentence(const char* what, int error) {
    return std::string(what) + ": " + std::generic_category().message(error);
}

/// Software's stamp is the first of the three.
std::int64_t stamp_in(const cmsghdr& message) noexcept {
    scm_timestamping times{};
    std::memcpy(&times, CMSG_DATA(&message), sizeof times);
    return static_cast<std::int64_t>(times.ts[0].tv_sec) * kNsPerS + times.ts[0].tv_nsec;
}

bool is_stamp(const cmsghdr& message) noexcept {
    return message.cmsg_level == SOL_SOCKET && message.cmsg_type == SCM_TIMESTAMPING;
}

bool is_extended_error(const cmsghdr& message) noexcept {
    return (message.cmsg_level == SOL_IP && message.cmsg_type == IP_RECVERR) ||
           (message.cmsg_level == SOL_IPV6 && message.cmsg_type == IPV6_RECVERR);
}

/// Reads one entry of the error queue: a stamp of a send, if `stamp` then has a time.
bool take_entry(int fd, SendStamp& stamp) noexcept {
    alignas(cmsghdr) std::byte control[512];
    msghdr message{};
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (::recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return false;
    bool is_of_send = false;
    stamp = {};
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
        if (is_stamp(*part)) {
            stamp.realtime_ns = stamp_in(*part);
        } else if (is_extended_error(*part)) {
            sock_extended_err error{};
            std::memcpy(&error, CMSG_DATA(part), sizeof error);
            is_of_send =
                error.ee_origin == SO_EE_ORIGIN_TIMESTAMPING && error.ee_info == SCM_TSTAMP_SND;
            stamp.last_byte = error.ee_data;
        }
    }
    if (!is_of_send) stamp.realtime_ns = 0;
    return true;
}

}  // namespace

std::string begin_time_stamps(int fd) {
    int unacknowledged = 0;
    if (::ioctl(fd, SIOCOUTQ, &unacknowledged) < 0) {
        return sentence("ask what is unacknowledged", errno);
    }
    // The kernel counts bytes from the first that is not.
    if (unacknowledged > 0) return "the engine has not acknowledged what was sent before the start";
    if (::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &kFlags, sizeof kFlags) < 0) {
        return sentence("set SO_TIMESTAMPING", errno);
    }
    return {};
}

IoResult send_stamped(int fd, std::span<const std::byte> bytes) noexcept {
    iovec piece{const_cast<std::byte*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) std::byte control[CMSG_SPACE(sizeof(std::uint32_t))]{};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SO_TIMESTAMPING;
    part->cmsg_len = CMSG_LEN(sizeof(std::uint32_t));
    constexpr std::uint32_t kStamp = SOF_TIMESTAMPING_TX_SOFTWARE;
    std::memcpy(CMSG_DATA(part), &kStamp, sizeof kStamp);
    const ssize_t sent = ::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) return failed_io(errno);
    return {IoStatus::kOk, static_cast<std::size_t>(sent)};
}

IoResult recv_stamped(int fd, std::span<std::byte> bytes, std::int64_t& realtime_ns) noexcept {
    iovec piece{bytes.data(), bytes.size()};
    alignas(cmsghdr) std::byte control[256];
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    realtime_ns = 0;
    const ssize_t received = ::recvmsg(fd, &message, MSG_DONTWAIT);
    if (received < 0) return failed_io(errno);
    if (received == 0) return {IoStatus::kClosed, 0};
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
        if (is_stamp(*part)) realtime_ns = stamp_in(*part);
    }
    return {IoStatus::kOk, static_cast<std::size_t>(received)};
}

bool take_stamp(int fd, SendStamp& stamp) noexcept {
    constexpr int kEntriesMax = 8;  // others can't be there but for a kernel that we do not know
    for (int i = 0; i < kEntriesMax; ++i) {
        if (!take_entry(fd, stamp)) return false;
        if (stamp.realtime_ns != 0) return true;
    }
    return false;
}

IoResult failed_io(int error) noexcept {
    switch (error) {
        case EAGAIN: return {IoStatus::kWouldBlock, 0};
        case ECONNRESET:
        case EPIPE: return {IoStatus::kReset, 0};
        default: return {IoStatus::kFailed, 0};
    }
}

}  // namespace cluster
