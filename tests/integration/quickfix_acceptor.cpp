// A FIX engine that others wrote: QuickFIX as acceptor, with the least application that answers
// orders. There is no book: limit orders rest until cancelled, market orders trade in full,
// immediate-or-cancel orders trade half and the rest is cancelled.
//
//   quickfix_acceptor BEGIN_STRING PORT SESSIONS [wants=PASSWORD] [refuse_symbol=S] [ask=N]
//   [forget=N]
//
// Sessions are ENGINE <- CLIENT0000, CLIENT0001 … With `ask`, each session is asked after its N-th
// order for a heartbeat (TestRequest). With `forget`, its N-th order is forgotten once it is
// answered: with the next one QuickFIX sees a gap and asks for what is missing (ResendRequest).
// Prints "ready", and when its input closes one line of counts, `name=n`.
#include <quickfix/Application.h>
#include <quickfix/Message.h>
#include <quickfix/Session.h>
#include <quickfix/SessionSettings.h>
#include <quickfix/SocketAcceptor.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

namespace {

struct Options {
    std::string begin_string;
    std::string port;
    int sessions = 0;
    std::string password;
    std::string refuse_symbol;
    long ask = 0;
    long forget = 0;
};

struct Order {
    std::string symbol;
    std::string side;
    long quantity;
};

constexpr char kTestRequestId[] = "are-you-there";

// QuickFIX calls it from one thread, the acceptor's; the counts are read after that has ended.
class Engine : public FIX::Application {
public:
    explicit Engine(const Options& options) : options_(options) {}

    const std::map<std::string, long>& counts() const { return counts_; }

    void onCreate(const FIX::SessionID&) override {}
    void onLogon(const FIX::SessionID&) override { ++counts_["logons"]; }
    void onLogout(const FIX::SessionID&) override { ++counts_["logouts"]; }
    void toAdmin(FIX::Message& message, const FIX::SessionID&) override {
        ++counts_["sent_" + type_of(message)];
    }
    void toApp(FIX::Message&, const FIX::SessionID&) throw(FIX::DoNotSend) override {}

    void fromAdmin(const FIX::Message& message,
                   const FIX::SessionID&) throw(FIX::FieldNotFound, FIX::IncorrectDataFormat,
                                                FIX::IncorrectTagValue, FIX::RejectLogon) override {
        const std::string type = type_of(message);
        if (type == FIX::MsgType_Logon && !options_.password.empty() &&
            (!message.isSetField(554) || message.getField(554) != options_.password)) {
            throw FIX::RejectLogon("wrong password");
        }
        ++counts_["got_" + type];
        if (type == FIX::MsgType_Heartbeat && message.isSetField(112) &&
            message.getField(112) == kTestRequestId) {
            ++counts_["heartbeats_asked_for"];
        }
        if (type == FIX::MsgType_SequenceReset && message.isSetField(123) &&
            message.getField(123) == "Y") {
            ++counts_["gap_fills"];
        }
    }

    void fromApp(const FIX::Message& message,
                 const FIX::SessionID& session) throw(FIX::FieldNotFound, FIX::IncorrectDataFormat,
                                                      FIX::IncorrectTagValue,
                                                      FIX::UnsupportedMessageType) override {
        const std::string type = type_of(message);
        ++counts_["got_" + type];
        if (type == FIX::MsgType_NewOrderSingle) {
            enter(message, session);
        } else if (type == FIX::MsgType_OrderCancelReplaceRequest) {
            replace(message, session);
        } else if (type == FIX::MsgType_OrderCancelRequest) {
            cancel(message, session);
        } else {
            throw FIX::UnsupportedMessageType();
        }
        const long received = ++received_[session];
        if (received == options_.ask) {
            ask(session);
        }
        if (received == options_.forget) {
            // Once this message is done, QuickFIX expects the next: 1 more than this.
            FIX::Session& state = *FIX::Session::lookupSession(session);
            state.setNextTargetMsgSeqNum(state.getExpectedTargetNum() - 1);
        }
    }

private:
    static std::string type_of(const FIX::Message& message) {
        return message.getHeader().getField(35);
    }

    static Order order_of(const FIX::Message& message) {
        return {message.getField(55), message.getField(54),
                std::atol(message.getField(38).c_str())};
    }

    void enter(const FIX::Message& message, const FIX::SessionID& session) {
        const std::string id = message.getField(11);
        const Order order = order_of(message);
        message.getField(60);
        if (session.getBeginString().getValue() == FIX::BeginString_FIX42) {
            message.getField(21);  // HandlInst: required up to FIX 4.2
        }
        if (!ids_[session].insert({id, true}).second) {
            return refuse_order(session, id, order, "6", "duplicate order");
        }
        if (order.symbol == options_.refuse_symbol) {
            return refuse_order(session, id, order, "1", "unknown symbol");
        }
        const bool market = message.getField(40) == "1";
        if (!market) {
            message.getField(44);
        }
        report(session, id, "", order, "0", "0", 0, order.quantity);
        if (market) {
            fill(session, id, order, order.quantity);
        } else if (message.getField(59) == "3") {
            const long half = order.quantity / 2;
            if (half > 0) {
                fill(session, id, order, half);
            }
            report(session, id, "", order, "4", "4", 0, 0);
        } else {
            living_[session][id] = order;
        }
    }

    void replace(const FIX::Message& message, const FIX::SessionID& session) {
        auto& living = living_[session];
        const auto found = living.find(message.getField(41));
        if (found == living.end()) {
            return refuse_change(message, session, "2");
        }
        const Order order = order_of(message);
        living.erase(found);
        living[message.getField(11)] = order;
        report(session, message.getField(11), message.getField(41), order, "5", "0", 0,
               order.quantity);
    }

    void cancel(const FIX::Message& message, const FIX::SessionID& session) {
        auto& living = living_[session];
        const auto found = living.find(message.getField(41));
        if (found == living.end()) {
            return refuse_change(message, session, "1");
        }
        report(session, message.getField(11), message.getField(41), found->second, "4", "4", 0, 0);
        living.erase(found);
    }

    void fill(const FIX::SessionID& session, const std::string& id, const Order& order, long size) {
        const bool whole = size == order.quantity;
        const bool fix42 = session.getBeginString().getValue() == FIX::BeginString_FIX42;
        const std::string status = whole ? "2" : "1";
        report(session, id, "", order, fix42 ? status : "F", status, size, order.quantity - size);
        ++counts_["fills"];
    }

    void refuse_order(const FIX::SessionID& session, const std::string& id, const Order& order,
                      const std::string& reason, const std::string& text) {
        FIX::Message reply = execution(session, id, order, "8", "8", 0, 0);
        reply.setField(103, reason);
        reply.setField(58, text);
        send(reply, session);
        ++counts_["refused"];
    }

    void refuse_change(const FIX::Message& message, const FIX::SessionID& session,
                       const std::string& to) {
        FIX::Message reply;
        reply.getHeader().setField(35, "9");
        reply.setField(37, "NONE");
        reply.setField(11, message.getField(11));
        reply.setField(41, message.getField(41));
        reply.setField(39, "8");
        reply.setField(434, to);
        reply.setField(102, "1");
        reply.setField(58, "unknown order");
        send(reply, session);
        ++counts_["refused"];
    }

    void report(const FIX::SessionID& session, const std::string& id, const std::string& original,
                const Order& order, const std::string& exec_type, const std::string& status,
                long last, long leaves) {
        FIX::Message reply = execution(session, id, order, exec_type, status, last, leaves);
        if (!original.empty()) {
            reply.setField(41, original);
        }
        send(reply, session);
        ++counts_["reports"];
    }

    FIX::Message execution(const FIX::SessionID& session, const std::string& id, const Order& order,
                           const std::string& exec_type, const std::string& status, long last,
                           long leaves) {
        FIX::Message reply;
        reply.getHeader().setField(35, "8");
        reply.setField(37, "O" + id);
        reply.setField(17, std::to_string(++executions_));
        if (session.getBeginString().getValue() == FIX::BeginString_FIX42) {
            reply.setField(20, "0");
        }
        reply.setField(150, exec_type);
        reply.setField(39, status);
        reply.setField(11, id);
        reply.setField(55, order.symbol);
        reply.setField(54, order.side);
        reply.setField(38, std::to_string(order.quantity));
        reply.setField(32, std::to_string(last));
        reply.setField(31, "100.00");
        reply.setField(151, std::to_string(leaves));
        reply.setField(14, std::to_string(last));
        reply.setField(6, "0");
        return reply;
    }

    void ask(const FIX::SessionID& session) {
        FIX::Message test;
        test.getHeader().setField(35, FIX::MsgType_TestRequest);
        test.setField(112, kTestRequestId);
        send(test, session);
    }

    static void send(FIX::Message& message, const FIX::SessionID& session) {
        FIX::Session::sendToTarget(message, session);
    }

    Options options_;
    std::map<std::string, long> counts_;
    std::map<FIX::SessionID, std::map<std::string, Order>> living_;
    std::map<FIX::SessionID, std::map<std::string, bool>> ids_;
    std::map<FIX::SessionID, long> received_;
    long executions_ = 0;
};

Options options_of(int count, char** words) {
    if (count < 4) {
        std::cerr << "usage: quickfix_acceptor BEGIN_STRING PORT SESSIONS [name=value …]\n";
        std::exit(2);
    }
    Options options;
    options.begin_string = words[1];
    options.port = words[2];
    options.sessions = std::atoi(words[3]);
    for (int i = 4; i < count; ++i) {
        const std::string word = words[i];
        const auto equals = word.find('=');
        const std::string name = word.substr(0, equals);
        const std::string value = word.substr(equals + 1);
        if (name == "wants") {
            options.password = value;
        } else if (name == "refuse_symbol") {
            options.refuse_symbol = value;
        } else if (name == "ask") {
            options.ask = std::atol(value.c_str());
        } else if (name == "forget") {
            options.forget = std::atol(value.c_str());
        } else {
            std::cerr << "unknown option " << name << "\n";
            std::exit(2);
        }
    }
    return options;
}

std::string settings_of(const Options& options) {
    std::ostringstream text;
    text << "[DEFAULT]\nConnectionType=acceptor\nSocketAcceptPort=" << options.port
         << "\nSocketReuseAddress=Y\nSocketNodelay=Y\nStartTime=00:00:00\nEndTime=00:00:00\n"
         << "BeginString=" << options.begin_string << "\nSenderCompID=ENGINE\n";
    // Debian's package has no dictionaries. With one, QuickFIX checks every field of a message.
    const char* dictionary = std::getenv("QUICKFIX_DICTIONARY");
    if (dictionary == nullptr) {
        text << "UseDataDictionary=N\n";
    } else {
        text << "UseDataDictionary=Y\nDataDictionary=" << dictionary << "\n";
    }
    for (int i = 0; i < options.sessions; ++i) {
        char name[16];
        std::snprintf(name, sizeof name, "CLIENT%04d", i);
        text << "[SESSION]\nTargetCompID=" << name << "\n";
    }
    return text.str();
}

}  // namespace

int main(int count, char** words) try {
    const Options options = options_of(count, words);
    Engine engine(options);
    std::istringstream text(settings_of(options));
    const FIX::SessionSettings settings(text);
    FIX::MemoryStoreFactory store;
    FIX::SocketAcceptor acceptor(engine, store, settings);
    acceptor.start();
    std::cout << "ready" << std::endl;
    std::cin.ignore(1 << 20, EOF);
    acceptor.stop(true);
    for (const auto& entry : engine.counts()) {
        std::cout << entry.first << '=' << entry.second << ' ';
    }
    std::cout << std::endl;
} catch (const std::exception& error) {
    std::cerr << error.what() << std::endl;
    return 1;
}
