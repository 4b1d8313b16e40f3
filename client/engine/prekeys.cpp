#include "prekeys.hpp"

#include <algorithm>

#include "store_failure.hpp"

namespace sotto::client {

namespace {

using crypto::KemPrekeyKind;
using storage::PrekeyKind;

/// The first 32 bytes of a seed, in another role.
template <class Pair>
Pair x25519_pair_of(const storage::StoredPrekey& stored) {
    return Pair{typename Pair::Seed{stored.seed.expose().first<32>()}};
}

class Maker {
  public:
    Maker(storage::ClientStore& store, crypto::Rng& rng, std::uint32_t today)
        : store_(store), rng_(rng), today_(today) {}

    /// Above `spent`: a restored store may be behind what the server has seen.
    std::uint32_t make(PrekeyKind kind, std::uint32_t spent = 0) {
        auto id = must(store_.next_prekey_id(kind));
        while (id <= spent) id = must(store_.next_prekey_id(kind));
        storage::StoredPrekey stored{id, {}};
        rng_.fill(stored.seed.writable());
        must(store_.put_prekey(kind, stored, today_));
        return id;
    }
    /// Of the kinds that have one current key: its id if it has to be published, else 0.
    std::uint32_t current(PrekeyKind kind, bool renew) {
        const auto day = must(store_.newest_prekey_day(kind));
        if (renew || day == 0 || today_ >= day + crypto::prekey_rotation_days) {
            const auto id = make(kind);
            must(store_.retire_prekeys(kind, id, today_));
            return id;
        }
        const auto unpublished = must(store_.unpublished_prekeys(kind));
        return unpublished.empty() ? 0 : std::ranges::max(unpublished);
    }
    /// Of the one-time kinds: what a crash left unpublished, and a batch if the server runs low.
    std::vector<std::uint32_t> one_time(PrekeyKind kind, std::uint32_t left, std::uint32_t highest,
                                        bool replace) {
        std::vector<std::uint32_t> ids;
        for (const auto id : must(store_.unpublished_prekeys(kind))) {
            if (id > highest && !replace)
                ids.push_back(id);
            else
                must(store_.mark_published(kind, id));  // it got there, only the answer was lost
        }
        if (replace || left + ids.size() < crypto::prekey_refill_below) {
            for (std::size_t i = 0; i < crypto::prekey_batch; ++i) ids.push_back(make(kind, highest));
        }
        // Whoever fetched one of the older ones may still use it.
        if (replace) must(store_.retire_prekeys(kind, ids.front(), today_));
        return ids;
    }
    storage::StoredPrekey get(PrekeyKind kind, std::uint32_t id) {
        auto stored = must(store_.prekey(kind, id));
        if (!stored) throw StoreFailure{{storage::Code::damaged, "a prekey that was just listed is gone"}};
        return std::move(*stored);
    }

  private:
    storage::ClientStore& store_;
    crypto::Rng& rng_;
    std::uint32_t today_;
};

/// The frame with room for one more prekey of a one-time kind.
PrekeyFrame& roomy(std::vector<PrekeyFrame>& frames, std::size_t index) {
    const auto frame = index / crypto::prekey_batch;
    if (frames.size() <= frame) frames.resize(frame + 1);
    return frames[frame];
}

}  // namespace

std::vector<PrekeyFrame> prepare_prekeys(storage::ClientStore& store, crypto::Rng& rng,
                                         const storage::Identity& identity,
                                         const crypto::AccountRecord& record, std::uint32_t today,
                                         const ServerPrekeys& server) {
    Maker maker(store, rng, today);
    auto transaction = store.begin();

    // The server's newest signed prekey should be ours; where it isn't (lost, or restored), both are renewed.
    const auto own_day = must(store.newest_prekey_day(PrekeyKind::signed_prekey));
    const bool unsent = !must(store.unpublished_prekeys(PrekeyKind::signed_prekey)).empty();
    const bool renew = server.replace || (own_day != 0 && !unsent && server.signed_prekey_day != own_day);
    const auto signed_id = maker.current(PrekeyKind::signed_prekey, renew);
    const auto resort_id = maker.current(PrekeyKind::last_resort, renew);
    const auto one_time =
        maker.one_time(PrekeyKind::one_time, server.one_time_left, server.one_time_highest, server.replace);
    const auto one_time_kem = maker.one_time(PrekeyKind::one_time_kem, server.one_time_kem_left,
                                             server.one_time_kem_highest, server.replace);

    std::vector<PrekeyFrame> frames;
    if (signed_id != 0) {
        const auto pair = signed_prekey_of(maker.get(PrekeyKind::signed_prekey, signed_id));
        const auto made = must(store.newest_prekey_day(PrekeyKind::signed_prekey));
        auto& frame = roomy(frames, 0);
        frame.frame.set_signed_prekey(to_field(
            crypto::SignedPrekey::make(signed_id, pair, made, record, identity.device, identity.signing_key)
                .encode()));
        frame.ids.emplace_back(PrekeyKind::signed_prekey, signed_id);
    }
    const auto kem = [&](KemPrekeyKind kind, std::uint32_t id, std::uint32_t made) {
        const auto stored =
            kind == KemPrekeyKind::last_resort ? PrekeyKind::last_resort : PrekeyKind::one_time_kem;
        const auto pair = kem_prekey_of(maker.get(stored, id));
        return to_field(
            crypto::KemPrekey::make(kind, id, pair, made, identity.device, identity.signing_key).encode());
    };
    if (resort_id != 0) {
        auto& frame = roomy(frames, 0);
        frame.frame.set_last_resort(kem(KemPrekeyKind::last_resort, resort_id,
                                        must(store.newest_prekey_day(PrekeyKind::last_resort))));
        frame.ids.emplace_back(PrekeyKind::last_resort, resort_id);
    }
    for (std::size_t i = 0; i < one_time.size(); ++i) {
        auto& frame = roomy(frames, i);
        const auto pair = one_time_prekey_of(maker.get(PrekeyKind::one_time, one_time[i]));
        frame.frame.add_one_time(to_field(crypto::OneTimePrekey{one_time[i], pair.public_key()}.encode()));
        frame.ids.emplace_back(PrekeyKind::one_time, one_time[i]);
    }
    for (std::size_t i = 0; i < one_time_kem.size(); ++i) {
        auto& frame = roomy(frames, i);
        frame.frame.add_one_time_kem(kem(KemPrekeyKind::one_time, one_time_kem[i], today));
        frame.ids.emplace_back(PrekeyKind::one_time_kem, one_time_kem[i]);
    }
    if (server.replace) roomy(frames, 0).frame.set_replace(true);
    must(transaction.commit());
    return frames;
}

void mark_published(storage::ClientStore& store, const PrekeyFrame& frame) {
    auto transaction = store.begin();
    for (const auto& [kind, id] : frame.ids) must(store.mark_published(kind, id));
    must(transaction.commit());
}

crypto::SignedPrekeyPair signed_prekey_of(const storage::StoredPrekey& stored) {
    return x25519_pair_of<crypto::SignedPrekeyPair>(stored);
}

crypto::OneTimePrekeyPair one_time_prekey_of(const storage::StoredPrekey& stored) {
    return x25519_pair_of<crypto::OneTimePrekeyPair>(stored);
}

crypto::KemKeyPair kem_prekey_of(const storage::StoredPrekey& stored) {
    return crypto::KemKeyPair{crypto::KemSeed{stored.seed.expose()}};
}

}  // namespace sotto::client
