#include "common/mail/header-rewrite.h"

#include <errno.h>

#include "common/base/macro.h"
#include "common/mail/address-token.h"
#include "common/mail/address.h"
#include "common/mail/envelope.h"

#define RUNS_MAX         100 /* addresses without commas between them in one element of the list */
#define LINE_MAX_BYTES   78  /* RFC 5322 2.1.1 */
#define GROWTH_MAX_BYTES ((size_t)16 * 1024 * 1024)

/* One address, or a word of a display name: words, dots and '@' that belong together. */
typedef struct Run {
        size_t begin, end; /* in the field */
        bool bad;
} Run;

/* A field while it is read. */
typedef struct Reader {
        HeaderRewrite *rewrite;
        Str field;
        Str rest;
        size_t n_tokens;
        size_t copied; /* bytes of the field that are in rewrite->out */
        size_t line;   /* where the last line of out begins */

        Run runs[RUNS_MAX];
        size_t n_runs;
        bool is_run_open; /* the last one may go on */
        bool word_before; /* and with a dot or '@' */
        bool is_bad;      /* the element makes no sense */
} Reader;

void header_rewrite_init(HeaderRewrite *rewrite, const RewriteRules *rules, size_t tokens_max) {
        *rewrite = (HeaderRewrite){
                .rules = rules,
                .tokens_max = tokens_max,
                .raw = BUF_INIT(ENVELOPE_ADDRESS_MAX),
                .address = BUF_INIT(ENVELOPE_ADDRESS_MAX),
                .canonical = BUF_INIT(ENVELOPE_ADDRESS_MAX),
        };
}

void header_rewrite_deinit(HeaderRewrite *rewrite) {
        buf_deinit(&rewrite->raw);
        buf_deinit(&rewrite->address);
        buf_deinit(&rewrite->canonical);
        buf_deinit(&rewrite->out);
}

bool header_rewrite_wants(Str name) {
        static const Str names[] = {
                { "Apparently-To", 13 },
                { "Bcc", 3 },
                { "Cc", 2 },
                { "Disposition-Notification-To", 27 },
                { "Errors-To", 9 },
                { "From", 4 },
                { "Mail-Followup-To", 16 },
                { "Reply-To", 8 },
                { "Resent-Bcc", 10 },
                { "Resent-Cc", 9 },
                { "Resent-From", 11 },
                { "Resent-Reply-To", 15 },
                { "Resent-Sender", 13 },
                { "Resent-To", 9 },
                { "Return-Path", 11 },
                { "Return-Receipt-To", 17 },
                { "Sender", 6 },
                { "To", 2 },
        };

        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                if (str_equal_nocase(names[i], name))
                        return true;
        return false;
}

/* ---- one address ---- */

/*
 * The usual address, which no rule changes: atoms and dots, one '@', a domain with a dot. Looked at
 * where it stands.
 */
static bool is_canonical(Str text) {
        size_t at = str_find(text, '@'), n_dots = 0;
        char before = '.';

        if (at == 0 || at + 1 >= text.len)
                return false;
        for (size_t i = 0; i < text.len; i++) {
                char c = text.data[i];

                if (i != at && c != '.' && !address_is_atext(c))
                        return false;
                if ((c == '.' || i == at) && (before == '.' || before == '@'))
                        return false;
                n_dots += c == '.' && i > at;
                before = c;
        }
        return n_dots > 0 && before != '.';
}

/* Without the line ends and the white space around them that folding put between tokens. */
static void collect(Str text, Buf *ret) {
        Str word = STR_NULL;
        int token;

        while ((token = address_token_next(&text, &word)) != ADDRESS_TOKEN_END) {
                if (token != ADDRESS_TOKEN_WORD) {
                        (void)buf_append_char(ret, (char)token);
                        continue;
                }
                for (size_t i = 0; i < word.len; i++)
                        if (word.data[i] != '\r' && word.data[i] != '\n')
                                (void)buf_append_char(ret, word.data[i]);
        }
}

/* Behind the route that begins ADDRESS; empty when there is nothing behind it. */
static Str skip_route(Str address) {
        if (!str_has_prefix(address, STR("@")))
                return address;
        return str_skip(address, address_find_first(address, ':') + 1);
}

/* The canonical form of TEXT is in rewrite->canonical. False: it stays as it is. -ENOMEM by *R. */
static bool changes(HeaderRewrite *rewrite, Str text, int *r) {
        Str address, normal;

        if (is_canonical(text))
                return false;
        buf_reset(&rewrite->raw);
        buf_reset(&rewrite->address);
        buf_reset(&rewrite->canonical);
        collect(text, &rewrite->raw);
        address = skip_route(buf_str(&rewrite->raw));
        *r = rewrite->raw.error;
        if (*r == 0)
                *r = address_normalise(address, &rewrite->address);
        normal = buf_str(&rewrite->address);
        if (*r == 0)
                *r = rewrite_address(rewrite->rules, normal, &rewrite->canonical);
        if (*r != 0) {
                *r = *r < 0 ? *r : 0; /* it makes no sense, or is longer than any address */
                return false;
        }
        return rewrite->canonical.len > 0 && address_is_sane(buf_str(&rewrite->canonical)) &&
               (address.len < rewrite->raw.len || !str_equal(normal, buf_str(&rewrite->canonical)));
}

/* ---- output ---- */

static void put(Reader *reader, Str text) {
        Buf *out = &reader->rewrite->out;
        size_t lf = str_find_last(text, '\n');

        if (lf < text.len)
                reader->line = out->len + lf + 1;
        (void)buf_append_str(out, text);
}

/* Copy the field up to END. */
static void copy_to(Reader *reader, size_t end) {
        put(reader, str_first(str_skip(reader->field, reader->copied), end - reader->copied));
        reader->copied = end;
}

/* Instead of the blanks at the end of what was put, when a comma is before them. */
static void fold_before(Reader *reader, size_t len) {
        Buf *out = &reader->rewrite->out;
        size_t n = out->len;

        if (n - reader->line + len <= LINE_MAX_BYTES)
                return;
        while (n > reader->line && (out->data[n - 1] == ' ' || out->data[n - 1] == '\t'))
                n--;
        if (n == reader->line || out->data[n - 1] != ',')
                return;
        buf_truncate(out, n);
        put(reader, STR("\n\t"));
}

/* What ends an address where it is seen from: up to the next comma the line is one piece. */
static size_t piece_len(const Reader *reader, size_t end) {
        Str rest = str_first(str_skip(reader->field, end), LINE_MAX_BYTES);
        size_t n = 0;

        while (n < rest.len && rest.data[n] != ',' && rest.data[n] != '\n')
                n++;
        return n;
}

static int replace(Reader *reader, const Run *run, bool add_comma) {
        Str text = str_first(str_skip(reader->field, run->begin), run->end - run->begin);
        int r = 0;
        bool changed = changes(reader->rewrite, text, &r);

        if (!changed && !add_comma)
                return r;
        copy_to(reader, run->begin);
        if (changed) {
                Str canonical = buf_str(&reader->rewrite->canonical);

                fold_before(reader, canonical.len + piece_len(reader, run->end));
                put(reader, canonical);
                reader->copied = run->end;
        }
        copy_to(reader, run->end);
        if (add_comma)
                put(reader, STR(","));
        return r;
}

/* ---- reading ---- */

static void begin_element(Reader *reader) {
        reader->n_runs = 0;
        reader->is_run_open = reader->word_before = reader->is_bad = false;
}

/*
 * The element is over. What it has are addresses: one, or several without commas between. One that
 * makes no sense leaves all of the element alone.
 */
static int finish_element(Reader *reader) {
        int r = 0;

        for (size_t i = 0; i < reader->n_runs; i++)
                reader->is_bad = reader->is_bad || reader->runs[i].bad;
        for (size_t i = 0; r == 0 && !reader->is_bad && i < reader->n_runs; i++)
                r = replace(reader, &reader->runs[i], i + 1 < reader->n_runs);
        begin_element(reader);
        return r;
}

static int next_token(Reader *reader, Str *ret_text, size_t *ret_begin, size_t *ret_end) {
        int token = ADDRESS_TOKEN_END;

        if (reader->n_tokens++ < reader->rewrite->tokens_max)
                token = address_token_next(&reader->rest, ret_text);
        *ret_end = reader->field.len - reader->rest.len;
        *ret_begin = token == ADDRESS_TOKEN_WORD ? (size_t)(ret_text->data - reader->field.data)
                                                 : *ret_end - (token != ADDRESS_TOKEN_END);
        return token;
}

/* Nothing but folding white space between BEGIN and END: no comment that would be lost. */
static bool is_blank(const Reader *reader, size_t begin, size_t end) {
        for (size_t i = begin; i < end; i++)
                if (!ascii_is_space(reader->field.data[i]))
                        return false;
        return true;
}

/* A word, a dot or an '@': it goes on with the last run, or begins one. */
static void add_token(Reader *reader, int token, size_t begin, size_t end) {
        bool is_word = token == ADDRESS_TOKEN_WORD;
        Run *run;

        if (!reader->is_run_open || (is_word && reader->word_before)) {
                if (reader->n_runs == RUNS_MAX) {
                        reader->is_bad = true;
                        return;
                }
                reader->runs[reader->n_runs++] = (Run){ .begin = begin, .end = begin };
                reader->is_run_open = true;
        }
        run = &reader->runs[reader->n_runs - 1];
        run->bad = run->bad || !is_blank(reader, run->end, begin);
        run->end = end;
        reader->word_before = is_word;
}

/*
 * Is TOKEN, which stands at BEGIN, out of place between angle brackets? There are words with dots
 * or an '@' between them; in front may be a route.
 */
static bool is_misplaced(const Reader *reader, const Run *run, int token, size_t begin) {
        return token == ADDRESS_TOKEN_BAD || token == '<' || token == ';' ||
               (token == ADDRESS_TOKEN_WORD && reader->word_before) ||
               !is_blank(reader, run->end, begin);
}

/* What is between angle brackets, route and all, is one address. The '<' is taken already. */
static int read_angle(Reader *reader) {
        bool in_route = false, is_first = true;
        size_t begin, end;
        Str text = STR_NULL;
        Run run = { 0 };
        int token;

        begin_element(reader);
        while ((token = next_token(reader, &text, &begin, &end)) != '>') {
                if (token == ADDRESS_TOKEN_END || (token == ',' && !in_route))
                        return 0;
                if (is_first)
                        run = (Run){ .begin = begin, .end = begin };
                in_route = (in_route || (is_first && token == '@')) && token != ':';
                run.bad = run.bad || is_misplaced(reader, &run, token, begin);
                run.end = end;
                reader->word_before = token == ADDRESS_TOKEN_WORD;
                is_first = false;
        }
        begin_element(reader);
        return is_first || run.bad ? 0 : replace(reader, &run, false);
}

static int read_list(Reader *reader) {
        size_t begin, end;
        Str text = STR_NULL;
        int r = 0;

        while (r == 0) {
                int token = next_token(reader, &text, &begin, &end);

                if (token == '<')
                        r = read_angle(reader);
                else if (token == ':') /* what came before was the name of a group */
                        begin_element(reader);
                else if (token == ',' || token == ';')
                        r = finish_element(reader);
                else if (token == ADDRESS_TOKEN_WORD || token == '.' || token == '@')
                        add_token(reader, token, begin, end);
                else if (token == ADDRESS_TOKEN_END)
                        break;
                else
                        reader->is_bad = true;
        }
        /* Of what goes on behind the limit nobody knows what it is. */
        if (r == 0 && reader->n_tokens <= reader->rewrite->tokens_max)
                r = finish_element(reader);
        return r;
}

int header_rewrite_field(HeaderRewrite *rewrite, Str field, Str *ret) {
        Reader reader = { .rewrite = rewrite, .field = field };
        int r;

        *ret = field;
        reader.rest = str_skip(field, str_find(field, ':') + 1);
        if (rewrite->out.max < field.len + GROWTH_MAX_BYTES) {
                buf_deinit(&rewrite->out);
                rewrite->out = BUF_INIT(field.len + GROWTH_MAX_BYTES);
        }
        buf_reset(&rewrite->out);
        r = read_list(&reader);
        if (r != 0 || reader.copied == 0)
                return r;
        copy_to(&reader, field.len);
        if (rewrite->out.error < 0)
                return rewrite->out.error;
        if (rewrite->out.error == 0)
                *ret = buf_str(&rewrite->out);
        return 0;
}
