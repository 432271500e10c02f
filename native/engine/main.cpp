// loadcluster-engine: starts the engine, waits for a signal, prints what it handled.
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "engine/counters.h"
#include "engine/options.h"
#include "engine/server.h"

namespace {

/// Blocks the signals that end the engine in this thread and in those it will start, so that only
/// wait_for_end takes them.
sigset_t hold_signals() {
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ending, nullptr);
    return ending;
}

void wait_for_end(const sigset_t& ending) {
    int signal = 0;
    while (sigwait(&ending, &signal) != 0) {
    }
}

void print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}

}  // namespace

int main(int count, char** values) {
    using namespace cluster::engine;
    try {
        const EngineOptions options =
            parse_options(std::vector<std::string>(values + 1, values + count));
        if (options.help) {
            print(help_text());
            return 0;
        }
        const sigset_t ending = hold_signals();
        Server server(options);
        print("listening on " + server.listens_on() + '\n');
        wait_for_end(ending);
        server.stop();
        print(describe(server.counters()));
        return 0;
    } catch (const UsageError& error) {
        std::fprintf(stderr, "loadcluster-engine: %s\n", error.what());
        return 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "loadcluster-engine: %s\n", error.what());
        return 1;
    }
}
