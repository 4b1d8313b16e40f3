#include "scratch.hpp"

namespace sotto::storage::test {
namespace {

class TransactionTest : public ::testing::Test {
  protected:
    Scratch folder;
    Database db = open_numbers(folder / "store.db");
};

TEST_F(TransactionTest, RollsBackWhenItGoesWithoutCommit) {
    {
        const Transaction transaction{db};
        must(insert_number(db, 1));
        EXPECT_EQ(count_numbers(db), 1);
    }
    EXPECT_EQ(count_numbers(db), 0);
    must(insert_number(db, 1));
    EXPECT_EQ(count_numbers(db), 1);
}

TEST_F(TransactionTest, KeepsEverythingAfterCommit) {
    {
        Transaction transaction{db};
        must(insert_number(db, 1));
        must(insert_number(db, 2));
        must(transaction.commit());
    }
    EXPECT_EQ(count_numbers(db), 2);
}

TEST_F(TransactionTest, EndsOnce) {
    Transaction transaction{db};
    must(transaction.commit());
    EXPECT_THROW((void)transaction.commit(), std::logic_error);
}

TEST_F(TransactionTest, JoinsTheOuterOne) {
    auto other = open_numbers(folder / "store.db", {.check_after_crash = false});
    Transaction outer{db};
    {
        Transaction inner{db};
        must(insert_number(db, 1));
        must(inner.commit());
    }
    EXPECT_EQ(count_numbers(other), 0);
    must(outer.commit());
    EXPECT_EQ(count_numbers(other), 1);
}

TEST_F(TransactionTest, CommitsNothingWhenAnInnerOneWasGivenUp) {
    {
        Transaction outer{db};
        must(insert_number(db, 1));
        {
            const Transaction inner{db};
            must(insert_number(db, 2));
        }
        // Without the outer one's protection this would commit on its own.
        EXPECT_FALSE(insert_number(db, 3));
        EXPECT_FALSE(db.execute("INSERT INTO numbers (n) VALUES (4)"));
        {
            Transaction late{db};
            EXPECT_FALSE(late.commit());
        }
        EXPECT_FALSE(outer.commit());
    }
    EXPECT_EQ(count_numbers(db), 0);
    must(insert_number(db, 5));
}

TEST_F(TransactionTest, SurvivesAConflictInside) {
    Transaction transaction{db};
    must(insert_number(db, 1));
    EXPECT_EQ(code_of(insert_number(db, 1)), Code::conflict);
    must(insert_number(db, 2));
    must(transaction.commit());
    EXPECT_EQ(count_numbers(db), 2);
}

TEST_F(TransactionTest, ThatCannotBeginLetsNothingThrough) {
    auto other = open_numbers(folder / "store.db", {.check_after_crash = false});
    {
        const Transaction holder{other};
        Transaction transaction{db};
        EXPECT_EQ(code_of(insert_number(db, 1)), Code::in_use);
        EXPECT_EQ(code_of(transaction.commit()), Code::in_use);
    }
    EXPECT_EQ(count_numbers(db), 0);
    must(insert_number(db, 1));
}

TEST_F(TransactionTest, IsOverWhenSqliteHasRolledItBack) {
    {
        Transaction transaction{db};
        must(insert_number(db, 1));
        EXPECT_EQ(code_of(db.execute("INSERT OR ROLLBACK INTO numbers (n) VALUES (1)")), Code::conflict);
        EXPECT_FALSE(insert_number(db, 2));
        EXPECT_FALSE(transaction.commit());
    }
    EXPECT_EQ(count_numbers(db), 0);
    Transaction next{db};
    must(insert_number(db, 3));
    must(next.commit());
    EXPECT_EQ(count_numbers(db), 1);
}

TEST_F(TransactionTest, RollsBackWhenAnExceptionPasses) {
    EXPECT_THROW(
        {
            const Transaction transaction{db};
            must(insert_number(db, 1));
            (void)db.execute("NONSENSE");
        },
        std::logic_error);
    EXPECT_EQ(count_numbers(db), 0);
}

}  // namespace
}  // namespace sotto::storage::test
