#include "login_message.hpp"

#include "labels.hpp"
#include "sotto/crypto/codec.hpp"

namespace sotto::crypto {

Label label_of(const LoginChallenge& challenge) {
    const bool bound = challenge.exporter.has_value();
    if (challenge.purpose == LoginPurpose::registration)
        return bound ? labels::registration : labels::registration_unbound;
    return bound ? labels::login : labels::login_unbound;
}

Bytes encode_login(const LoginChallenge& challenge) {
    Bytes out;
    Writer writer{out};
    const auto address = challenge.account.text();
    writer.u16(static_cast<std::uint16_t>(challenge.server_name.size()));
    writer.raw(bytes_of(challenge.server_name));
    writer.u16(static_cast<std::uint16_t>(address.size()));
    writer.raw(bytes_of(address));
    writer.u32(challenge.device);
    writer.raw(challenge.nonce);
    if (challenge.exporter) writer.raw(*challenge.exporter);
    return out;
}

Signature prove_login(const LoginChallenge& challenge, const DeviceSigningKeyPair& key) {
    return key.sign(label_of(challenge), encode_login(challenge));
}

bool verify_login(const LoginChallenge& challenge, const DeviceSigningKey& key, FixedView<64> proof) {
    return key.verify(label_of(challenge), encode_login(challenge), proof);
}

}  // namespace sotto::crypto
