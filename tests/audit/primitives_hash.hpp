// The second half of group primitives: hashes and key derivation.
#pragma once

#include "check.hpp"

namespace sotto::audit {

void hkdf_sha256_vectors(Check& check);
void hkdf_sha512_vectors(Check& check);
void hmac_vectors(Check& check);
void blake2b_vectors(Check& check);
void blake2b_labels(Check& check);
void sha2_vectors(Check& check);
void siphash_vector(Check& check);
void argon2id_answer(Check& check);
void safety_number_vector(Check& check);

}  // namespace sotto::audit
