#include "attacks.hpp"

#include "groups.hpp"

namespace sotto::audit {
namespace {

constexpr std::string_view list = "list of published attacks";

constexpr std::array checks{
    Definition{"1 Weak, torsioned, non-canonical and high-bit keys, wherever a key is taken", list,
               attack_weak_keys,
               "X25519.RefusesWeakAndStrangeKeys Ed25519.RefusesWeakAndStrangeKeys Ed25519.RefusesTorsion "
               "HostileHeader.WeakRatchetKeysAreRefused X25519.AllZeroSecretIsReported",
               1},
    Definition{"2 A first message under another sender, for another recipient, device or server", list,
               attack_misbinding,
               "Handshake.AnotherRecipientCanNotOpenIt Handshake.AnotherDeviceOfTheRecipientCanNotOpenIt "
               "Handshake.AnotherServerCanNotOpenIt",
               2},
    Definition{"3 Key-compromise impersonation: with Bob's identity key nobody is Alice to Bob", list,
               attack_key_compromise, "Handshake.NobodyPosesAsAliceWithoutHerIdentityKey", 3},
    Definition{"4 Keys of one kind offered as another; changed KEM key, ciphertext or prekey id", list,
               attack_key_confusion,
               "KeyEncoding.TypesCanNotBeConfused Handshake.EveryFieldOfTheTranscriptCounts", 4},
    Definition{
        "5 Post-quantum downgrade: KEM part or epoch stripped, zeroed or misnamed", list,
        attack_post_quantum_downgrade,
        "Handshake.EveryChangedByteOfTheFirstEnvelopeIsRefused "
        "Epochs.EveryChangedByteOfAnEnvelopeWithAFrameIsRefused Epochs.AStrippedOrZeroedPartNeverFallsBack "
        "Epochs.AnEpochThatWasNotAnsweredCanNotBeNamed HostileHeader.AnotherEpochIsRefused",
        5},
    Definition{"6 A handshake on last-resort keys, delivered a second time", list, attack_replayed_handshake,
               "Handshake.ARepeatUnderAnotherEnvelopeIdChangesNothing", 6},
    Definition{"7 Prekey drain: ten thousand fetches by one stranger and by many", list, attack_prekey_drain,
               "PrekeysTest.AreLimitedPerTargetByFallingBackToTheLastResort", 7},
    Definition{"8 A forged first message spends no key and changes no store", list,
               attack_forged_first_message, "Handshake.AForgedOneSpendsNoPrekeyAndTheRealOneStillOpens", 8},
    Definition{"9 Old records and old prekeys offered again", list, attack_old_data,
               "Record.CompareFollowsTheChain Record.CompareSeesForksAndWrongLinks "
               "Bundle.AgesAtAndPastTheirLimits",
               9},
    Definition{"10 Skipped-key exhaustion: a counter of 2^32-1, and thousands of gaps", list,
               attack_skipped_keys,
               "HostileHeader.CountersAtTheirEndAreRefusedAtOnce Ratchet.AThousandAndOneAreAGap", 10},
    Definition{"11 The same envelope twice, also after a crash", list, attack_duplicates,
               "Simulation.EnvelopesComeTwiceAndOutOfOrder", 11},
    Definition{"12 Rollback: a restored copy repeats no key stream, is noticed, and both sides converge",
               list, attack_rollback,
               "RestoredTest.IsNoticedAtTheNextLogInAndBothFindTogetherAgain "
               "RestoredTest.NothingIsSealedAgainWithAKeyOfTheCopy "
               "RestoredTest.BothAtOnceFindTogetherToo",
               12},
    Definition{"13 A server that lies about delivery provokes no more than paced handshakes", list,
               attack_lying_server,
               "RepairTest.WhatWasDeliveredAndNeverAcknowledgedIsSentAgainInANewSessionAfterAnHour "
               "RepairTest.AServerThatLiesForADayProvokesFiveHandshakesAndNoMore",
               13},
    Definition{"14 Resync storm: a hundred messages that can't be opened", list, attack_resync_storm,
               "RepairTest.AHundredUndecryptableMessagesCauseOneReset", 14},
    Definition{"15 First messages that cross: both arrive, one session sends", list, attack_crossing,
               "Handshake.FirstMessagesThatCrossBothArrive", 15},
    Definition{"16 A server that reorders, drops and repeats: late ones are marked, gaps told", list,
               attack_reordering, "Messages.ALateOneIsMarkedAndAGapIsTold", 16},
    Definition{"17 One ciphertext that opens under two keys, for messages and for files", list,
               attack_two_keys,
               "Envelope.PiecesOfTwoMessagesDoNotMix Envelope.EveryChangedByteIsRefused "
               "Attachment.AnotherKeyOrLengthFailsBeforeAnythingIsDecrypted Attachment.TruncationIsRefused "
               "Attachment.ExtensionIsRefused Attachment.ReorderingAndDuplicationAreRefused "
               "Attachment.MixingTwoFilesIsRefused",
               17},
    Definition{"18 Truncated tags of every length", list, attack_truncated_tags,
               "Envelope.EveryShorterOrLongerOneIsRefused", 18},
    Definition{"19 All of a device's secrets stolen once: shut out after a round trip, and one epoch", list,
               attack_compromise,
               "Ratchet.ACompromisedStateIsShutOutAfterARoundTrip "
               "Ratchet.PastMessagesStayClosedToALaterThief Healing.OneExchangeShutsAThiefOut "
               "Healing.OneEpochShutsOutAThiefWhoHasEveryX25519Secret "
               "Healing.WhatWasReadBeforeStaysClosedToALaterThief",
               19},
    Definition{"20 Trailing bytes, short input, huge lengths, garbage, in every parser", list, attack_parsers,
               "Messages.SmuggledGarbageDoesNotStopTheOthers "
               "HostileTest.RandomFramesAreAnsweredMalformedAndClosed",
               20},
    Definition{"21 Terminal injection by escape sequences and invisible characters", list, attack_terminal,
               "Printable.ShowsEscapeSequencesInsteadOfRunningThem "
               "Printable.ShowsBidirectionalOverridesAndInvisibleCharacters "
               "History.CannotPaintTheTerminalOrPassForAnotherLine",
               21},
    Definition{"22 Path tricks in the names of received files", list, attack_paths, {}, 22},
    Definition{"23 Secrets left in memory, in the store's files and in temporary files", list,
               attack_secrets_left, "Wiping.AConversationLeavesNoSecretBehind", 23},
    Definition{"24 Timing: branches and indices on secrets", list, attack_timing, {}, 24},
    Definition{"35 A first message that claims somebody's address with a record of its own making", list,
               attack_claimed_name, "Links.AClaimedNameThatItsServerDoesNotConfirmStaysClaimed", 35},
    Definition{"36 A server that hands out its own KEM prekey, or an old signed prekey", list,
               attack_servers_prekeys,
               "Bundle.AServersOwnKeysAreRefused Bundle.KeysOfAnotherDeviceAreRefused "
               "Handshake.AServerThatHandsOutItsOwnPrekeysIsCaught Bundle.AgesAtAndPastTheirLimits",
               36},
    Definition{"37 Both contacts rotate their tokens while apart, and have blocked a third", list,
               attack_token_rotation,
               "Rotation.TwoApartFindEachOtherAndTheBlockedOneNobody "
               "Rotation.OfTwoWhoCanReachNobodyByTheirTokensTheSmallContentGoesFirst "
               "Blocking.NeitherTokenOfTheBlockedOneOpensAnythingAtTheServer "
               "Blocking.ALinkOfOursOpensNoDoorToThem",
               37},
};

}  // namespace

std::span<const Definition> attack_checks() {
    return checks;
}

}  // namespace sotto::audit
