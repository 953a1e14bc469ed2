/* common/mail/address-extension: user and extension of a local part. */

#include "common/base/macro.h"
#include "common/mail/address-extension.h"
#include "tests/unit/unit.h"

typedef struct Row {
        const char *local;
        const char *user; /* NULL: it is not split */
        const char *extension;
        char delimiter;
} Row;

static void assert_rows(const ExtensionRules *rules, const Row *rows, size_t n) {
        for (size_t i = 0; i < n; i++) {
                AddressExtension got;
                bool split = address_extension_split(rules, str_from_cstr(rows[i].local), &got);

                ck_assert_msg(split == (rows[i].user != NULL), "%s", rows[i].local);
                if (!split)
                        continue;
                ck_assert_msg(str_equal(got.user, str_from_cstr(rows[i].user)) &&
                                      str_equal(got.extension, str_from_cstr(rows[i].extension)),
                              "%s: %.*s and %.*s", rows[i].local, STR_FMT(got.user),
                              STR_FMT(got.extension));
                ck_assert_int_eq(got.delimiter, rows[i].delimiter);
        }
}

START_TEST(the_first_character_of_the_set_splits) {
        static const ExtensionRules rules = {
                .delimiters = STR("+="),
                .double_bounce_sender = STR("double-bounce"),
                .owner_request_special = true,
        };
        static const Row rows[] = {
                { "user", NULL },
                { "user+ext", "user", "ext", '+' },
                { "user=ext", "user", "ext", '=' },
                { "user=a+b", "user", "a+b", '=' },
                { "user+a=b", "user", "a=b", '+' },
                { "user+", "user", "", '+' },
                { "user++x", "user", "+x", '+' },
                { "+user", NULL },
                { "+user+ext", NULL }, /* the first one decides, as in Postfix */
                { "+", NULL },
                { "", NULL },
                { "john doe+x", "john doe", "x", '+' },
                { "owner-a+b", "owner-a", "b", '+' },
                { "user-ext", NULL },
        };

        assert_rows(&rules, rows, ARRAY_LEN(rows));
}
END_TEST

START_TEST(some_names_are_never_split) {
        static const ExtensionRules rules = {
                .delimiters = STR("-"),
                .double_bounce_sender = STR("double-bounce"),
                .owner_request_special = true,
        };
        static const ExtensionRules plain = { .delimiters = STR("-"),
                                              .double_bounce_sender = STR("other-name") };
        static const Row special[] = {
                { "user-ext", "user", "ext", '-' },
                { "mailer-daemon", NULL },
                { "MAILER-DAEMON", NULL },
                { "Double-Bounce", NULL },
                { "postmaster", NULL },
                { "postmaster-x", "postmaster", "x", '-' },
                { "owner-list", NULL },
                { "Owner-list", NULL },
                { "list-Request", NULL },
                { "a-b-request", NULL },
                { "owner-", NULL },
                { "-request", NULL },
                { "list-requests", "list", "requests", '-' },
        };
        static const Row ordinary[] = {
                { "owner-list", "owner", "list", '-' },
                { "list-request", "list", "request", '-' },
                { "double-bounce", "double", "bounce", '-' },
                { "mailer-daemon", NULL },
        };

        assert_rows(&rules, special, ARRAY_LEN(special));
        assert_rows(&plain, ordinary, ARRAY_LEN(ordinary));
}
END_TEST

START_TEST(no_delimiter_no_extension) {
        static const ExtensionRules rules = { .owner_request_special = true };
        static const Row rows[] = { { "user+ext", NULL }, { "", NULL } };

        assert_rows(&rules, rows, ARRAY_LEN(rows));
}
END_TEST

int main(void) {
        return unit_main("address-extension", the_first_character_of_the_set_splits,
                         some_names_are_never_split, no_delimiter_no_extension, NULL);
}
