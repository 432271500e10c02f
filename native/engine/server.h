// The engine as a whole: its listening socket and its matching threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "client/file_descriptor.h"
#include "engine/counters.h"
#include "engine/match_thread.h"
#include "engine/options.h"

namespace cluster::engine {

/// The engine cannot listen or start; what() is one sentence.
struct StartError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Listens from its construction and serves until it is stopped or destroyed.
class Server {
public:
    /// Throws StartError.
    explicit Server(const EngineOptions& options);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// ADDRESS:PORT, as bound.
    std::string listens_on() const;
    std::uint16_t port() const noexcept { return port_; }

    /// Ends all threads and waits for them.
    void stop();

    /// What each thread handled; after stop().
    std::vector<Counters> counters() const;

private:
    void pin(std::size_t index, const EngineOptions& options);

    std::string address_;
    std::uint16_t port_ = 0;
    FileDescriptor listener_;
    std::atomic<bool> stop_ = false;
    std::unique_ptr<Faults> faults_;
    Crew crew_;
    std::vector<std::thread> running_;
};

}  // namespace cluster::engine
