#include "engine/server.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "client/clock.h"

namespace cluster::engine {
namespace {

constexpr int kBacklog = 4096;

std::string error_text(int error) {
    return std::generic_category().message(error);
}

struct AddressList {
    addrinfo* first = nullptr;
    ~AddressList() {
        if (first != nullptr) {
            ::freeaddrinfo(first);
        }
    }
};

FileDescriptor listen_on(const std::string& address, std::uint16_t port) {
    const std::string where = address + ':' + std::to_string(port);
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    AddressList found;
    const int failed =
        ::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found.first);
    if (failed != 0) {
        throw StartError("cannot listen on " + where + ": " + ::gai_strerror(failed));
    }
    FileDescriptor listener(
        ::socket(found.first->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
    const int on = 1;
    ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (listener.get() < 0 ||
        ::bind(listener.get(), found.first->ai_addr, found.first->ai_addrlen) != 0 ||
        ::listen(listener.get(), kBacklog) != 0) {
        throw StartError("cannot listen on " + where + ": " + error_text(errno));
    }
    return listener;
}

std::uint16_t port_of(int listener) {
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&bound), &length);
    const bool is_v6 = bound.ss_family == AF_INET6;
    return ntohs(is_v6 ? reinterpret_cast<const sockaddr_in6*>(&bound)->sin6_port
                       : reinterpret_cast<const sockaddr_in*>(&bound)->sin_port);
}

}  // namespace

Server::Server(const EngineOptions& options)
    : address_(options.address), listener_(listen_on(options.address, options.port)) {
    port_ = port_of(listener_.get());
    faults_ = std::make_unique<Faults>(options.faults, MonotonicClock::now_ns(), stop_);
    crew_.wait = options.wait;
    crew_.protocol = options.protocol;
    crew_.reflect = options.reflect;
    crew_.queue = options.queue;
    crew_.login = {!options.user.empty(), options.user, options.password};
    crew_.limits = options.limits;
    crew_.unread_max_bytes = options.unread_max_bytes;
    crew_.faults = faults_.get();
    crew_.stop = &stop_;
    try {
        for (std::uint32_t index = 0; index < options.threads; ++index) {
            crew_.threads.push_back(std::make_unique<MatchThread>(
                crew_, index, options.threads, index == 0 ? listener_.get() : -1));
        }
    } catch (const std::system_error& error) {
        throw StartError(std::string("cannot start a matching thread: ") + error.what());
    }
    std::vector<PostOffice*> offices;
    for (const auto& thread : crew_.threads) {
        offices.push_back(&thread->post());
    }
    for (PostOffice* office : offices) {
        office->connect(offices);
    }
    try {
        for (std::size_t index = 0; index < crew_.threads.size(); ++index) {
            running_.emplace_back(&MatchThread::run, crew_.threads[index].get());
            pin(index, options);
        }
    } catch (...) {
        stop();
        throw;
    }
}

Server::~Server() {
    stop();
}

void Server::pin(std::size_t index, const EngineOptions& options) {
    const pthread_t thread = running_[index].native_handle();
    ::pthread_setname_np(thread, ("match-" + std::to_string(index)).c_str());
    if (options.cpus.empty()) {
        return;
    }
    const int cpu = options.cpus[index % options.cpus.size()];
    cpu_set_t only{};
    CPU_SET(static_cast<std::size_t>(cpu), &only);
    const int failed = ::pthread_setaffinity_np(thread, sizeof only, &only);
    if (failed != 0) {
        throw StartError("cannot pin matching thread " + std::to_string(index) + " to CPU " +
                         std::to_string(cpu) + ": " + error_text(failed));
    }
}

std::string Server::listens_on() const {
    return address_ + ':' + std::to_string(port_);
}

void Server::stop() {
    stop_.store(true, std::memory_order_relaxed);
    for (const auto& thread : crew_.threads) {
        thread->wake();
    }
    for (std::thread& thread : running_) {
        thread.join();
    }
    running_.clear();
}

std::vector<Counters> Server::counters() const {
    std::vector<Counters> by_thread;
    for (const auto& thread : crew_.threads) {
        by_thread.push_back(thread->counters());
    }
    return by_thread;
}

}  // namespace cluster::engine
