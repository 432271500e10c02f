// The limit of pacing on a machine: a loop that spins until an order is due and sends it. It keeps
// no books, measures nothing and handles no error; a load client can only come close to it.
//
// usage: bare_pacer PORT RATE_PER_S SECONDS CPU
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "wire/orderwire.h"

namespace {

std::int64_t now_ns() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

void pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

int connect_to(std::uint16_t port) {
    const int connection = socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
        std::perror("connect");
        std::exit(1);
    }
    return connection;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace cluster;
    if (argc != 5) {
        std::fprintf(stderr, "usage: bare_pacer PORT RATE_PER_S SECONDS CPU\n");
        return 2;
    }
    const double rate_per_s = std::atof(argv[2]);
    const auto orders = static_cast<std::int64_t>(rate_per_s * std::atof(argv[3]));
    pin(std::atoi(argv[4]));
    const int connection = connect_to(static_cast<std::uint16_t>(std::atoi(argv[1])));
    orderwire::New order{};
    order.header = {sizeof(order), orderwire::Type::kNew, 1, 0};
    std::array<char, 1 << 16> answers;
    const std::int64_t start_ns = now_ns() + 10'000'000;
    for (std::int64_t k = 0; k < orders; ++k) {
        const auto due_ns =
            start_ns + static_cast<std::int64_t>(static_cast<double>(k) * 1e9 / rate_per_s);
        while (now_ns() < due_ns) {
            if (recv(connection, answers.data(), answers.size(), MSG_DONTWAIT) == 0) return 1;
        }
        order.order_id = static_cast<std::uint64_t>(k) + 1;
        if (send(connection, &order, sizeof(order), MSG_NOSIGNAL) != sizeof(order)) return 1;
    }
    close(connection);
}
