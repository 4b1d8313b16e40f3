#include "client/circle.hpp"

namespace sotto::client::test {

wire::FailureCode Circle::ask(SimServer& at, wire::Request request) {
    const auto connection = at.accept(Purpose::delivery, {});
    static_cast<void>(at.take());
    request.set_id(1);
    const auto frame = request.SerializeAsString();
    at.receive(connection, bytes_of(frame));
    wire::Reply reply;
    for (const auto& out : at.take())
        if (out.connection == connection && !out.close)
            static_cast<void>(reply.ParseFromArray(out.frame.data(), static_cast<int>(out.frame.size())));
    at.disconnect(connection);
    return reply.failure().code();
}

wire::FailureCode Circle::tries(SimServer& at, const std::string& user, ByteView token, std::size_t size) {
    wire::Request request;
    auto& deliver = *request.mutable_deliver();
    deliver.set_user(user);
    deliver.set_device(alice.store().identity().value()->device);
    deliver.mutable_credential()->set_token(std::string{chars_of(token)});
    std::string id(16, '\0');
    id[0] = static_cast<char>(++asked_);
    deliver.set_envelope_id(id);
    std::string envelope(size, '\x07');
    envelope[0] = static_cast<char>(crypto::envelope_message);
    deliver.set_envelope(envelope);
    return ask(at, std::move(request));
}

wire::FailureCode Circle::tries_fetching(SimServer& at, const std::string& user, ByteView token) {
    wire::Request request;
    auto& fetch = *request.mutable_fetch_prekeys();
    fetch.set_user(user);
    fetch.set_device(alice.store().identity().value()->device);
    fetch.mutable_credential()->set_token(std::string{chars_of(token)});
    const auto prekeys = ask(at, std::move(request));
    wire::Request records;
    records.mutable_fetch_records()->set_user(user);
    records.mutable_fetch_records()->mutable_credential()->set_token(std::string{chars_of(token)});
    const auto other = ask(at, std::move(records));
    return prekeys == other ? prekeys : wire::FAILURE_INTERNAL;
}

}  // namespace sotto::client::test
