// A FIX client that others wrote: QuickFIX as initiator, told what to send line by line.
//
//   quickfix_initiator PORT HEARTBEAT_S USER PASSWORD
//
// A line of its input is the fields of one message, `35=D 11=a …` (times are added), or `ask`, which
// sends a ResendRequest for everything and a TestRequest. It prints every message that comes, as
// `tag=value tag=value …` in the order of the message, and `logon` and `logout`. It logs out when
// its input closes.
#include <quickfix/Application.h>
#include <quickfix/Message.h>
#include <quickfix/Session.h>
#include <quickfix/SessionSettings.h>
#include <quickfix/SocketInitiator.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <mutex>
#include <sstream>
#include <string>

namespace {

std::mutex printing;

void print(std::string line) {
    const std::lock_guard<std::mutex> held(printing);
    std::replace(line.begin(), line.end(), '\x01', ' ');
    std::cout << line << std::endl;
}

class Client : public FIX::Application {
public:
    Client(std::string user, std::string password)
        : user_(std::move(user)), password_(std::move(password)) {}

    void onCreate(const FIX::SessionID&) override {}
    void onLogon(const FIX::SessionID&) override { print("logon"); }
    void onLogout(const FIX::SessionID&) override { print("logout"); }
    void toAdmin(FIX::Message& message, const FIX::SessionID&) override {
        if (message.getHeader().getField(35) == FIX::MsgType_Logon) {
            message.setField(553, user_);
            message.setField(554, password_);
        }
    }
    void toApp(FIX::Message&, const FIX::SessionID&) throw(FIX::DoNotSend) override {}
    void fromAdmin(const FIX::Message& message, const FIX::SessionID&) throw(
        FIX::FieldNotFound, FIX::IncorrectDataFormat, FIX::IncorrectTagValue,
        FIX::RejectLogon) override {
        print(message.toString());
    }
    void fromApp(const FIX::Message& message, const FIX::SessionID&) throw(
        FIX::FieldNotFound, FIX::IncorrectDataFormat, FIX::IncorrectTagValue,
        FIX::UnsupportedMessageType) override {
        print(message.toString());
    }

private:
    std::string user_;
    std::string password_;
};

std::string settings(const std::string& port, const std::string& heartbeat_s) {
    return "[DEFAULT]\nConnectionType=initiator\nReconnectInterval=60\nStartTime=00:00:00\n"
           "EndTime=00:00:00\nUseDataDictionary=N\nResetOnLogon=Y\nSocketConnectHost=127.0.0.1\n"
           "SocketConnectPort=" +
           port + "\nHeartBtInt=" + heartbeat_s +
           "\n[SESSION]\nBeginString=FIX.4.4\nSenderCompID=CLIENT\nTargetCompID=ENGINE\n";
}

FIX::Message message_of(const std::string& line) {
    FIX::Message message;
    std::istringstream fields(line);
    for (std::string field; fields >> field;) {
        const std::size_t equals = field.find('=');
        const int tag = std::stoi(field.substr(0, equals));
        if (tag == 35) {
            message.getHeader().setField(tag, field.substr(equals + 1));
        } else {
            message.setField(tag, field.substr(equals + 1));
        }
    }
    message.setField(FIX::TransactTime());
    return message;
}

void ask(const FIX::SessionID& session) {
    FIX::Message resend;
    resend.getHeader().setField(35, FIX::MsgType_ResendRequest);
    resend.setField(7, "1");
    resend.setField(16, "0");
    FIX::Session::sendToTarget(resend, session);
    FIX::Message test;
    test.getHeader().setField(35, FIX::MsgType_TestRequest);
    test.setField(112, "are-you-there");
    FIX::Session::sendToTarget(test, session);
}

}  // namespace

int main(int, char** values) {
    std::istringstream text(settings(values[1], values[2]));
    FIX::SessionSettings all(text);
    Client client(values[3], values[4]);
    FIX::MemoryStoreFactory store;
    FIX::SocketInitiator initiator(client, store, all);
    const FIX::SessionID session("FIX.4.4", "CLIENT", "ENGINE");
    initiator.start();
    for (std::string line; std::getline(std::cin, line);) {
        if (line == "ask") {
            ask(session);
        } else {
            FIX::Message message = message_of(line);
            FIX::Session::sendToTarget(message, session);
        }
    }
    initiator.stop();
    return 0;
}
