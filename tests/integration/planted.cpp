// An engine with planted behaviour, so that a profile can be held against the truth.
//
// Thread `planted`: 70 % of its work in Book::match, 30 % in Book::insert; after SIGUSR1 all of it
// in elsewhere(), until SIGUSR2. Thread `sleeper`: always waits, in wait_for_event().
// Thread `half`: on the CPU half of the time, if there is one free. With the argument `half`: that
// thread alone. With a number N: two threads that spin on CPU N.
#include <pthread.h>
#include <sched.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <thread>

namespace planted {

template <class Price>
struct Book {
    [[gnu::noipa]] std::uint64_t match(std::uint64_t rounds) { return spin(rounds, 3); }
    [[gnu::noipa]] std::uint64_t insert(std::uint64_t rounds) { return spin(rounds, 5); }

private:
    [[gnu::always_inline]] static inline std::uint64_t spin(std::uint64_t rounds, Price step) {
        std::uint64_t state = rounds;
        for (std::uint64_t round = 0; round < rounds; ++round) {
            state = state * 6364136223846793005ULL + static_cast<std::uint64_t>(step);
        }
        return state;
    }
};

volatile std::sig_atomic_t is_elsewhere = 0;
volatile std::uint64_t sink;

[[gnu::noipa]] void elsewhere() {
    for (int round = 0; round < 100'000; ++round) {
        sink = sink * 6364136223846793005ULL + 7;
    }
}

// libc keeps no frame pointer, so the function that calls into it is missing from the stack:
// nap() is that one, its caller is what must be found.
[[gnu::noipa]] void nap() {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    asm volatile("");
}

[[gnu::noipa]] void wait_for_event() {
    nap();
    asm volatile("");
}

double thread_cpu_s() {
    timespec spent{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

[[noreturn]] void half_busy() {
    for (;;) {
        const auto period_ends = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
        const double until_s = thread_cpu_s() + 0.010;
        while (thread_cpu_s() < until_s) {
        }
        std::this_thread::sleep_until(period_ends);
    }
}

void name(const char* name) { pthread_setname_np(pthread_self(), name); }

void pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

}  // namespace planted

int main(int argc, char** argv) {
    using namespace planted;
    std::signal(SIGUSR1, [](int) { is_elsewhere = 1; });
    std::signal(SIGUSR2, [](int) { is_elsewhere = 0; });
    alarm(120);  // whatever happens to the test, this ends
    if (argc > 1 && std::string_view(argv[1]) == "half") {
        name("half");
        std::puts("ready");
        std::fflush(stdout);
        half_busy();
    }
    if (argc > 1) {
        const int cpu = std::atoi(argv[1]);
        const auto spin = [cpu](const char* who) {
            name(who);
            pin(cpu);
            for (;;) {
                elsewhere();
            }
        };
        std::thread first(spin, "spinner 1");
        std::thread second(spin, "spinner 2");
        std::puts("ready");
        std::fflush(stdout);
        first.join();
        second.join();
    }
    std::thread sleeper([] {
        name("sleeper");
        for (;;) {
            wait_for_event();
        }
    });
    std::thread half([] {
        name("half");
        half_busy();
    });
    name("planted");
    Book<int> book;
    std::puts("ready");
    std::fflush(stdout);
    for (;;) {
        if (is_elsewhere) {
            elsewhere();
        } else {
            sink = book.match(70'000);
            sink = book.insert(30'000);
        }
    }
}
