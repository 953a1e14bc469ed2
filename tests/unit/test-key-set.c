/* common/base/key-set: what was there already, within limits. */

#include "common/base/key-set.h"
#include "tests/unit/unit.h"

START_TEST(members_are_remembered_and_compared_without_case) {
        KeySet set;

        key_set_init(&set, 10, 100);
        ck_assert(!key_set_has(&set, STR("mailbox bob")));
        ck_assert(!key_set_seen(&set, STR("mailbox bob")));
        ck_assert(key_set_seen(&set, STR("mailbox bob")));
        ck_assert(key_set_seen(&set, STR("Mailbox BOB")));
        ck_assert(key_set_has(&set, STR("mailbox bob")));
        ck_assert(!key_set_seen(&set, STR("mailbox bo")));
        ck_assert(!key_set_seen(&set, STR("")));
        ck_assert(key_set_seen(&set, STR("")));
        key_set_deinit(&set);
}
END_TEST

START_TEST(with_case_letters_differ) {
        KeySet set;

        key_set_init(&set, 10, 100);
        set.with_case = true;
        ck_assert(!key_set_seen(&set, STR("file /Box")));
        ck_assert(!key_set_seen(&set, STR("file /box")));
        ck_assert(key_set_seen(&set, STR("file /Box")));
        key_set_deinit(&set);
}
END_TEST

START_TEST(what_comes_beyond_the_limit_is_not_remembered) {
        KeySet set;

        key_set_init(&set, 2, 4);
        ck_assert(!key_set_seen(&set, STR("a")));
        ck_assert(!key_set_seen(&set, STR("b")));
        ck_assert(!key_set_seen(&set, STR("c")));
        ck_assert(!key_set_seen(&set, STR("c")));
        ck_assert(key_set_seen(&set, STR("a")));
        key_set_deinit(&set);
        key_set_init(&set, 2, 4);
        ck_assert(!key_set_seen(&set, STR("123456789")));
        ck_assert(!key_set_seen(&set, STR("123456789")));
        key_set_deinit(&set);
}
END_TEST

START_TEST(a_set_of_none_remembers_nothing) {
        KeySet set;

        key_set_init(&set, 0, 100);
        ck_assert(!key_set_seen(&set, STR("a")));
        ck_assert(!key_set_seen(&set, STR("a")));
        key_set_deinit(&set);
}
END_TEST

int main(void) {
        return unit_main("key-set", members_are_remembered_and_compared_without_case,
                         with_case_letters_differ, what_comes_beyond_the_limit_is_not_remembered,
                         a_set_of_none_remembers_nothing, NULL);
}
