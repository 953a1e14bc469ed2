/* $name for one recipient: what is a name, what a stranger's value can do (nothing), what counts
 * as undefined. */

#include <stdlib.h>

#include "services/local/local-expand.h"
#include "tests/unit/unit.h"

#define FILTER \
        "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" /* Postfix's */

static const LocalExpandValues full = {
        .user = { "bob", 3 },
        .home = { "/home/bob", 9 },
        .shell = { "/bin/sh", 7 },
        .recipient = { "Bob+x@example.org", 17 },
        .local = { "Bob+x", 5 },
        .extension = { "x", 1 },
        .domain = { "example.org", 11 },
        .recipient_delimiter = { "+", 1 },
        .filter = { FILTER, sizeof(FILTER) - 1 },
};

static const LocalExpandValues bare = {
        .user = { "bob", 3 },
        .home = { "/home/bob", 9 },
        .extension = { "", 0 },
        .filter = { FILTER, sizeof(FILTER) - 1 },
};

static const LocalExpandValues hostile = {
        .user = { "a b;c", 5 },
        .local = { "${run{x}}", 9 },
        .extension = { "$user", 5 },
        .domain = { "%s%n\0\n\377`", 8 },
        .recipient_delimiter = { "'\"", 2 },
        .filter = { FILTER, sizeof(FILTER) - 1 },
};

/* hostile, and all of it let through */
static const LocalExpandValues unfiltered = {
        .local = { "${run{x}}", 9 },
        .extension = { "$user", 5 },
};

typedef struct Case {
        const LocalExpandValues *values;
        const char *text;
        int r;
        const char *expected;
} Case;

enum {
        UNDEFINED = LOCAL_EXPAND_E_UNDEFINED,
        INVALID = LOCAL_EXPAND_E_INVALID
};

static const Case cases[] = {
        { &full, "$user $home $shell", 0, "bob /home/bob /bin/sh" },
        { &full, "$recipient|$local|$extension|$domain|$recipient_delimiter", 0,
          "Bob+x@example.org|Bob+x|x|example.org|+" },
        { &full, "$home/.forward${recipient_delimiter}${extension}", 0, "/home/bob/.forward+x" },
        { &full, "$(user)${user}$$user", 0, "bobbob$user" },
        { &full, "${extension?+$extension}${extension:none}", 0, "+x" },
        { &full, "${extension?{yes $user}:{no}}", 0, "yes bob" },
        { &full, "text of the admin's; `stays`", 0, "text of the admin's; `stays`" },
        { &full, "", 0, "" },
        { &full, "$users", UNDEFINED, "" },
        { &full, "<$mailbox>", UNDEFINED, "<>" },
        { &full, "${user", INVALID, NULL },
        { &full, "$", INVALID, NULL },
        { &full, "${user?{a}b}", INVALID, NULL },
        { &bare, "$home/.forward", 0, "/home/bob/.forward" },
        { &bare, "$home/.forward${recipient_delimiter}${extension}", UNDEFINED,
          "/home/bob/.forward" },
        { &bare, "<$extension>", 0, "<>" }, /* user+@: there is one, and it is empty */
        { &bare, "${extension?+$extension}${domain?@$domain}${shell:/bin/sh}", 0, "/bin/sh" },
        { &bare, "${shell?{$shell}:{$home}}", 0, "/home/bob" },
        { &bare, "${shell:$shell}", UNDEFINED, "" },
        { &hostile, "$user", 0, "a_b_c" },
        { &hostile, "$local", 0, "__run_x__" },
        { &hostile, "$extension", 0, "_user" },
        { &hostile, "$domain", 0, "%s%n____" },
        { &hostile, "$recipient_delimiter.", 0, "__." },
        { &unfiltered, "$local $extension", 0, "${run{x}} $user" },
        { &unfiltered, "${local?{$extension}}", 0, "$user" },
};

START_TEST(names_are_expanded_and_values_are_not) {
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                Buf ret = BUF_INIT(256);
                Buf error = BUF_INIT(256);
                int r = local_expand(str_from_cstr(cases[i].text), cases[i].values, &ret, &error);

                ck_assert_msg(r == cases[i].r, "\"%s\": %d", cases[i].text, r);
                ck_assert(str_is_empty(buf_str(&error)) == (r != INVALID));
                if (r != INVALID)
                        ck_assert_str_eq(buf_cstr(&ret), cases[i].expected);
                buf_deinit(&ret);
                buf_deinit(&error);
        }
}
END_TEST

START_TEST(too_long_is_an_error) {
        static char big[70000];
        LocalExpandValues values = { .user = STR("bob"), .domain = str_from(big, sizeof(big)) };
        Buf error = BUF_INIT(256);
        Buf ret = BUF_INIT(5);

        ck_assert_int_eq(local_expand(STR("$user$user"), &full, &ret, &error), INVALID);
        ck_assert(str_has_prefix(buf_str(&error), STR("value too long")));
        buf_reset(&error);
        ck_assert_int_eq(local_expand(STR("x"), &values, &ret, &error), INVALID);
        ck_assert(str_equal(buf_str(&error), STR("values are too long")));
        buf_deinit(&error);
        buf_deinit(&ret);
}
END_TEST

START_TEST(filter_replaces_what_it_does_not_name) {
        Buf ret = BUF_INIT(20);

        ck_assert_int_eq(local_expand_filter(STR("a-b\0c"), STR("abc"), &ret), 0);
        ck_assert_int_eq(local_expand_filter(STR(""), STR("abc"), &ret), 0);
        ck_assert_int_eq(local_expand_filter(STR("|$("), STR_NULL, &ret), 0);
        ck_assert_str_eq(buf_cstr(&ret), "a_b_c|$(");
        ck_assert_int_eq(local_expand_filter(STR("0123456789012"), STR("0"), &ret), BUF_E_FULL);
        buf_deinit(&ret);
}
END_TEST

int main(void) {
        return unit_main("local-expand", names_are_expanded_and_values_are_not,
                         too_long_is_an_error, filter_replaces_what_it_does_not_name, NULL);
}
