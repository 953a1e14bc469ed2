/*
 * common/mail/header-rewrite. Where a row has no remark the result is, but for white space that we
 * keep, what cleanup of Debian 13's Postfix 3.10 writes into its queue file with myorigin
 * o.example (sendmail, then postcat).
 */

#include <time.h>

#include "common/base/macro.h"
#include "common/mail/header-rewrite.h"
#include "tests/unit/unit.h"

static const RewriteRules rules = {
        .origin = STR("o.example"),
        .swap_bangpath = true,
        .allow_percent_hack = true,
};

/* WANT NULL: FIELD itself, not a copy of it. */
static void assert_rewritten_by(HeaderRewrite *rewrite, const char *field, const char *want) {
        Str got = STR_NULL, input = str_from_cstr(field);

        ck_assert_int_eq(header_rewrite_field(rewrite, input, &got), 0);
        ck_assert_msg(str_equal(got, str_from_cstr(want ? want : field)),
                      "%s became\n%.*s, not\n%s", field, STR_FMT(got), want ? want : "itself");
        if (!want)
                ck_assert_ptr_eq(got.data, input.data);
}

static void assert_rewritten(const char *field, const char *want) {
        _cleanup_(header_rewrite_deinit) HeaderRewrite rewrite;

        header_rewrite_init(&rewrite, &rules, 10240);
        assert_rewritten_by(&rewrite, field, want);
}

typedef struct Row {
        const char *field, *want;
} Row;

START_TEST(addresses_are_completed_where_they_stand) {
        static const Row rows[] = {
                { "To: bob", "To: bob@o.example" },
                { "To: bob, sue@x.example, root",
                  "To: bob@o.example, sue@x.example, root@o.example" },
                { "Reply-To: \"Doe, Jo\" <jo>  (a (nested) comment)",
                  "Reply-To: \"Doe, Jo\" <jo@o.example>  (a (nested) comment)" },
                { "To: Friends: bob, \"F 2\" <f2>;, sue (the one)",
                  "To: Friends: bob@o.example, \"F 2\" <f2@o.example>;, sue@o.example (the one)" },
                { "To: <bob>", "To: <bob@o.example>" },
                { "To: <@a,@b:user@c>", "To: <user@c>" },
                { "To: a!b, c%d, e@f.", "To: b@a, c@d, e@f" },
                { "To: bob\n\t, sue,\n\t  ann", "To: bob@o.example\n\t, sue@o.example,\n\t  "
                                                "ann@o.example" },
                { "To: =?utf-8?q?x?= <y>", "To: =?utf-8?q?x?= <y@o.example>" },
                { "To: \"john doe\"", "To: \"john doe\"@o.example" },
                { "To:bob", "To:bob@o.example" },
                { "To: J. Doe", "To: J.Doe@o.example" },
                { "To: a;b", "To: a@o.example;b@o.example" }, /* Postfix adds a comma */
                { "To: < bob >", "To: < bob@o.example >" },
                { "To: bob@ host.example.", "To: bob@host.example" },
                { "To: \"a\n b\"", "To: \"a b\"@o.example" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                assert_rewritten(rows[i].field, rows[i].want);
}
END_TEST

START_TEST(words_without_commas_are_addresses_with_one) {
        assert_rewritten("From: root postmaster", "From: root@o.example, postmaster@o.example");
        assert_rewritten("To: Bob Smith, a@b", "To: Bob@o.example, Smith@o.example, a@b");
        assert_rewritten("To: a@b.example c@d.example", "To: a@b.example, c@d.example");
        /* Postfix adds a comma here, too */
        assert_rewritten("To: bob <a@b> sue", "To: bob <a@b> sue@o.example");
}
END_TEST

START_TEST(what_needs_no_change_is_the_same_to_the_byte) {
        static const char *const rows[] = {
                "To:",
                "To: ",
                "To: <>",
                "To: \"\"",
                "To: (nobody)",
                "To: undisclosed-recipients:;",
                "To: a@b.c,   d@e.f ,\n\t<g@h> (x)",
                "To: user@[1.2.3.4], x@y",
                "To: John Q. Public <a@b>",
                "To: bob (comment) @ host", /* a comment would be lost */
                "To: \"bob\"@host",         /* Postfix takes the quotes off */
                "To",
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                assert_rewritten(rows[i], NULL);
}
END_TEST

START_TEST(nonsense_is_left_alone) {
        static const char *const rows[] = {
                "To: (((",        "To: \"bob",        "To: [bob",      "To: <bob",
                "To: <a b>",      "To: a \\ b",       "To: @a",        "To: <@a>",
                "To: <a:b>",      "To: <@a:b c>",     "To: <@a,@b,:>", "To: a\x01 b",
                "To: bob <sue, ", "To: <(x)a(y)@b.>",
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                assert_rewritten(rows[i], NULL);
        assert_rewritten("To: bob), ann", "To: bob), ann@o.example");
}
END_TEST

START_TEST(lines_that_get_too_long_are_folded_at_commas) {
        assert_rewritten("To: aaaaaaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, "
                         "cccccccccccccccc, dddddddddddddddd",
                         "To: aaaaaaaaaaaaaaaaaaaaaaaa@o.example,\n\t"
                         "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb@o.example, "
                         "cccccccccccccccc@o.example,\n\tdddddddddddddddd@o.example");
}
END_TEST

START_TEST(tokens_behind_the_limit_stay) {
        HeaderRewrite rewrite;

        header_rewrite_init(&rewrite, &rules, 4);
        assert_rewritten_by(&rewrite, "To: a, b", "To: a@o.example, b@o.example");
        assert_rewritten_by(&rewrite, "To: a, b, c", "To: a@o.example, b@o.example, c");
        header_rewrite_deinit(&rewrite);
        header_rewrite_init(&rewrite, &rules, 3);
        assert_rewritten_by(&rewrite, "To: a, b", "To: a@o.example, b");
        header_rewrite_deinit(&rewrite);
}
END_TEST

START_TEST(mydomain_is_added_where_rules_say) {
        RewriteRules with = { .origin = STR("o.example"), .domain = STR("d.example") };
        _cleanup_(header_rewrite_deinit) HeaderRewrite rewrite;

        header_rewrite_init(&rewrite, &with, 100);
        assert_rewritten_by(&rewrite, "To: a@b, c@d.e, \"a b\"@c",
                            "To: a@b.d.example, c@d.e, \"a b\"@c.d.example");
}
END_TEST

START_TEST(the_fields_are_postfix_s) {
        static const char *const wanted[] = {
                "from",
                "Sender",
                "REPLY-TO",
                "To",
                "Cc",
                "Bcc",
                "Errors-To",
                "Return-Receipt-To",
                "Resent-From",
                "Resent-To",
                "Resent-Cc",
                "Resent-Bcc",
                "Resent-Sender",
                "Return-Path",
                "Resent-Reply-To",
                "Apparently-To",
                "Mail-Followup-To",
                "Disposition-Notification-To",
        };
        static const char *const others[] = { "Subject",  "Delivered-To", "X-To", "Mail-Reply-To",
                                              "Received", "Message-Id",   "T",    "" };

        for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
                ck_assert_msg(header_rewrite_wants(str_from_cstr(wanted[i])), "%s", wanted[i]);
        for (size_t i = 0; i < ARRAY_LEN(others); i++)
                ck_assert_msg(!header_rewrite_wants(str_from_cstr(others[i])), "%s", others[i]);
}
END_TEST

/* A megabyte of each of these, in far less time than something quadratic would need. */
START_TEST(hostile_fields_take_linear_time) {
        static const char *const pieces[] = { "(",     ",",  "\"",  "[",   "<", "@",
                                              "a ",    "a,", "(\\", ":",   ";", "<@",
                                              "\"\" ", ".",  "a<",  "\n ", "[]" };
        clock_t start = clock();

        for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
                _cleanup_(header_rewrite_deinit) HeaderRewrite rewrite;
                _cleanup_(buf_deinit) Buf field = BUF_INIT(1 << 21);
                Str got;

                (void)buf_append_cstr(&field, "To: ");
                while (field.len < 1 << 20)
                        (void)buf_append_cstr(&field, pieces[i]);
                header_rewrite_init(&rewrite, &rules, SIZE_MAX);
                ck_assert_int_eq(header_rewrite_field(&rewrite, buf_str(&field), &got), 0);
        }
        ck_assert_int_lt((clock() - start) / CLOCKS_PER_SEC, 20);
}
END_TEST

int main(void) {
        return unit_main("header-rewrite", addresses_are_completed_where_they_stand,
                         words_without_commas_are_addresses_with_one,
                         what_needs_no_change_is_the_same_to_the_byte, nonsense_is_left_alone,
                         lines_that_get_too_long_are_folded_at_commas, tokens_behind_the_limit_stay,
                         mydomain_is_added_where_rules_say, the_fields_are_postfix_s,
                         hostile_fields_take_linear_time, NULL);
}
