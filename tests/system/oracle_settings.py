"""The cases of the oracle test that need parameters of their own; see oracle_cases.py."""

from oracle import LISTS, OUT, RECORD, Case, File, Group, forward
from oracle_cases import PLAIN, alias, fwd, include

BOX = f'"|{RECORD} x"'


def ext(name, to, files=None, **more):
    """A case with a user NAME whose home has FILES, {name: text}; TO may use {u} for the user."""
    return Case(f'extension-{name}', to.replace('{u}', name), users=name,
                files=[File(f'~{name}/{path}', text) for path, text in (files or {}).items()],
                **more)


DELIMITER = [
    ext('e-none', '{u}+x'),
    ext('e-forward', '{u}+x', {'.forward': 'ann\n', '.forward+x': 'ben\n'}),
    ext('e-fallback', '{u}+y', {'.forward': 'ann\n', '.forward+x': 'ben\n'}),
    ext('e-plain', '{u}', {'.forward': 'ann\n', '.forward+x': 'ben\n'}),
    ext('e-only-ext', '{u}', {'.forward+x': 'ben\n'}),
    ext('e-upper', '{u}+X', {'.forward': 'ann\n', '.forward+x': 'ben\n'}),
    ext('e-upper-both', 'E-Upper-Both+Xy', {'.forward+xy': 'ben\n'}),
    ext('e-empty', '{u}+', {'.forward': 'ann\n', '.forward+': 'ben\n'}),
    ext('e-empty-plain', '{u}+'),
    ext('e-two', '{u}+a+b', {'.forward+a': 'ann\n', '.forward+a+b': 'ben\n'}),
    ext('e-two-first', '{u}+a+b', {'.forward+a': 'ann\n', '.forward': 'cat\n'}),
    ext('e-slash', '"{u}+../../ann/x"@mail.test', {'.forward': 'ann\n'}),
    ext('e-slash-inside', '{u}+a/b', {'.forward': 'ann\n'}),
    ext('e-shell', '"{u}+;id"@mail.test', {'.forward': f'{BOX}\n'}),
    ext('e-space', '"{u}+a b"@mail.test', {'.forward': f'{BOX}\n'}),
    ext('e-dollar', '{u}+$HOME', {'.forward': f'{BOX}\n'}),
    ext('e-percent', '"{u}+%s%n"@mail.test', {'.forward': f'{BOX}\n'}),
    ext('e-command', '{u}+x', {'.forward': f'{BOX}\n'}),
    ext('e-command-ext', '{u}+x', {'.forward+x': f'{BOX}\n'}),
    ext('e-command-upper', '{u}+Xy', {'.forward': f'{BOX}\n'}),
    ext('e-file', '{u}+x', {'.forward': '~/inbox\n'}),
    ext('e-own', '{u}+x', {'.forward': 'e-own\n'}),
    ext('e-own-backslash', '{u}+x', {'.forward': '\\e-own-backslash\n'}),
    ext('e-own-ext', '{u}', {'.forward': 'e-own-ext+z\n'}),
    ext('e-own-same-ext', '{u}+x', {'.forward+x': 'e-own-same-ext+x\n'}),
    ext('e-ext-to-plain', '{u}+x', {'.forward+x': 'e-ext-to-plain, ann\n'}),
    ext('e-unreadable', '{u}+x', {'.forward': 'ann\n', '.forward+x': 'ben\n'},
        shell='chmod 666 /home/e-unreadable/.forward+x'),
    ext('e-remote', '{u}+x', {'.forward': 'someone@other.test\n'}),
    ext('e-forward-to-user', '{u}+x', {'.forward': 'ann\n'}),
    Case('extension-leading', '+ann'),
    Case('extension-only-delimiter', '+'),
    Case('extension-unknown', 'no-such-user+x'),
    Case('extension-name-of-user', 'with+plus', users='with+plus'),
    Case('extension-name-of-user-ext', 'with+plus+x', users='with+plus with'),
    Case('extension-upper-user', 'ANN+X'),
    Case('extension-root', 'root+x'),
    Case('extension-postmaster', 'postmaster+x'),
    Case('extension-eight-bit', 'ann+\u00f6@mail.test'),
    Case('extension-delivered-to', 'ann+x', header='Delivered-To: ann@mail.test\n'),
    Case('extension-delivered-to-same', 'ann+x', header='Delivered-To: ann+x@mail.test\n'),
    alias('e-a', 'ann', to='e-a+x'),
    alias('e-a-key', '', to='e-a-key+x', aliases='e-a-key: ann\ne-a-key+x: ben\n'),
    alias('e-a-key-other', '', to='e-a-key-other+y', aliases='e-a-key-other: ann\n'
          'e-a-key-other+x: ben\n'),
    alias('e-a-key-only', '', to='e-a-key-only', aliases='e-a-key-only+x: ben\n'),
    alias('e-a-upper', '', to='e-a-upper+X', aliases='e-a-upper+x: ben\n'),
    alias('e-a-value', 'ann+z', to='e-a-value+x'),
    alias('e-a-empty', 'ann', to='e-a-empty+'),
    alias('e-a-two', 'ann, ben@localhost', to='e-a-two+x+y'),
    alias('e-a-command', BOX, to='e-a-command+x'),
    alias('e-a-file', f'{OUT}/e-a-file', to='e-a-file+x'),
    alias('e-a-include', f':include:{LISTS}/e-a-include', to='e-a-include+x',
          files=[File(f'{LISTS}/e-a-include', 'ann\n')]),
    alias('e-a-remote', 'someone@other.test', to='e-a-remote+x'),
    alias('e-a-backslash', '\\ann', to='e-a-backslash+x'),
    alias('e-a-own', 'e-a-own', to='e-a-own+x', users='e-a-own'),
    alias('e-a-own-ext', 'e-a-own-ext+z', to='e-a-own-ext', users='e-a-own-ext'),
    alias('e-a-user-ext', 'e-a-u', to='e-a-user-ext+x', users='e-a-u',
          files=[forward('e-a-u', 'ann\n'), File('~e-a-u/.forward+x', 'ben\n')]),
    alias('e-a-owner', 'ann, no-such-user', to='e-a-owner+x',
          aliases='e-a-owner: ann, no-such-user\nowner-e-a-owner: ben\n'),
    alias('e-a-owner-ext', '', to='e-a-owner-ext+x', aliases='e-a-owner-ext: ann, no-such-user\n'
          'owner-e-a-owner-ext: ben\nowner-e-a-owner-ext+x: cat\n'),
]

PROPAGATION = [
    alias('g-alias', 'ann', to='g-alias+x'),
    fwd('g-forward', 'ann\n', to='g-forward+x'),
    include('g-include', 'ann\n', to='g-include+x'),
    fwd('g-forward-include', f':include:{LISTS}/g-fi\n', to='g-forward-include+x',
        files=[File(f'{LISTS}/g-fi', 'ann\n')]),
    alias('g-own', 'g-own', to='g-own+x', users='g-own'),
    fwd('g-forward-own', 'g-forward-own\n', to='g-forward-own+x'),
    fwd('g-forward-own-two', 'g-forward-own-two, ann\n', to='g-forward-own-two+x'),
    alias('g-remote', 'someone@other.test', to='g-remote+x'),
]

SET = [
    ext('s-plus', '{u}+x', {'.forward+x': 'ann\n', '.forward=x': 'ben\n'}),
    ext('s-equals', '{u}=x', {'.forward+x': 'ann\n', '.forward=x': 'ben\n'}),
    ext('s-both', '{u}=a+b', {'.forward=a+b': 'ann\n', '.forward=a': 'ben\n',
                              '.forward+b': 'cat\n'}),
    ext('s-both-other', '{u}+a=b', {'.forward+a=b': 'ann\n', '.forward+a': 'ben\n'}),
    ext('s-command', '{u}=a+b', {'.forward': f'{BOX}\n'}),
    alias('s-alias', 'ann', to='s-alias=x'),
    alias('s-alias-key', '', to='s-alias-key=x', aliases='s-alias-key=x: ben\ns-alias-key: ann\n'),
    Case('extension-s-user', 'ann=x'),
    Case('extension-s-leading', '=ann'),
    Case('extension-s-empty', 'ann='),
]

DASH = [
    Case('dash-user', 'dash-u', users='dash-u'),
    Case('dash-user-ext', 'dash-u-x', users='dash-u'),
    Case('dash-shorter-user', 'ann-x'),
    ext('dasher', '{u}-x', {'.forward-x': 'ann\n', '.forward': 'ben\n'}),
    ext('dashed', '{u}-a-b', {'.forward-a': 'ann\n', '.forward-a-b': 'ben\n'}),
    Case('dash-owner', 'owner-dlist', aliases='dlist: ann\nowner-dlist: ben\n'),
    Case('dash-owner-missing', 'owner-dlist2', aliases='dlist2: ann\n'),
    Case('dash-owner-user', 'owner-ann', users='owner'),
    Case('dash-owner-failing', 'dlist3', aliases='dlist3: no-such\nowner-dlist3: ben\n'),
    Case('dash-owner-ext', 'dlist4-x', aliases='dlist4: ann, nobody-here\nowner-dlist4: ben\n'),
    Case('dash-request', 'dlist5-request', aliases='dlist5: ann\ndlist5-request: ben\n'),
    Case('dash-request-missing', 'dlist6-request', aliases='dlist6: ann\n'),
    Case('dash-request-user', 'ann-request'),
    Case('dash-owner-alone', 'owner-', aliases='owner: ben\n'),
]

FORWARD_PATH = [
    ext('k-home', '{u}', {'.fwd-k-home': 'ann\n', '.forward': 'ben\n'}),
    ext('k-local', '{u}+x', {'.fwd-k-local+x': 'ann\n', '.forward': 'ben\n'}),
    Case('extension-k-central', 'k-central', users='k-central',
         files=[File('/srv/forward/k-central', 'ann\n')]),
    Case('extension-k-central-ext', 'k-central-ext+x', users='k-central-ext',
         files=[File('/srv/forward/k-central-ext+x', 'ann\n'),
                File('/srv/forward/k-central-ext', 'ben\n')]),
    Case('extension-k-central-of-user', 'k-central-u', users='k-central-u',
         files=[File('/srv/forward/k-central-u', 'ann\n', 0o600, 'k-central-u')]),
    Case('extension-k-central-command', 'k-central-c', users='k-central-c',
         files=[File('/srv/forward/k-central-c', f'{BOX}\n')]),
    ext('k-default', '{u}', {'.forward': 'ann\n'}),
    ext('k-slash', '"{u}+../k"@mail.test', {'.forward': 'ann\n'}),
    ext('k-shell', '"{u}+a;b"@mail.test', {'.fwd-k-shell+a_b': 'ann\n'}),
    Case('extension-k-order', 'k-order', users='k-order',
         files=[File('/srv/forward/k-order', '# only a comment\n\n'),
                File('~k-order/.fwd-k-order', 'ann\n')]),
    Case('extension-k-order-empty', 'k-order-e', users='k-order-e',
         files=[File('/srv/forward/k-order-e', ''), File('~k-order-e/.fwd-k-order-e', 'ann\n')]),
    Case('extension-k-domain', 'k-domain@localhost', users='k-domain',
         files=[File('~k-domain/.fwd-localhost', 'ann\n')]),
]


def boxes(prefix):
    """What each setting of where mailboxes are is asked."""
    a, b, c, d = (f'{prefix}-{n}' for n in 'abcd')
    return [
        Case(f'{prefix}-plain', a, users=a),
        Case(f'{prefix}-alias', f'{prefix}-al', aliases=f'{prefix}-al: {b}\n', users=b),
        Case(f'{prefix}-own-forward', c, users=c, files=[forward(c, f'\\{c}\n')]),
        Case(f'{prefix}-forward', d, users=d, files=[forward(d, 'ann\n')]),
        Case(f'{prefix}-extension', f'{a}+x', users=a),
        Case(f'{prefix}-upper', a.upper(), users=a),
        Case(f'{prefix}-unknown', f'{prefix}-no-such-user'),
        Case(f'{prefix}-root', 'root'),
        Case(f'{prefix}-null-sender', a, users=a, sender=''),
        Case(f'{prefix}-body', a, users=a, body='From here\n\nFrom there\nno newline'),
    ]


MACROS = f'{RECORD} "$USER" $HOME $SHELL $RECIPIENT "$EXTENSION" $DOMAIN $LOCAL; true'
COMMAND_MAP = ('inline:{{ n-map = R map $EXTENSION }, { ann = R ann }, { root = R root }, '
               '{ n-fails = R -x 67 -s 5.1.6\\ moved }}').replace(' R ', f' {RECORD} ')


def mailbox_groups():
    """In Postfix's order of precedence each setting hides the ones below it."""
    plus = {'recipient_delimiter': '+'}
    return [
        Group('home_mailbox', {**plus, 'home_mailbox': 'Mailbox'}, boxes('h')),
        Group('home_mailbox-maildir', {**plus, 'home_mailbox': 'Maildir/'}, boxes('hm')),
        Group('spool-maildir', {**plus, 'mail_spool_directory': '/var/mail/'}, boxes('sm') + [
            # A user cannot make a directory in Debian's /var/mail: the admin does.
            Case('sm-there', 'sm-there', users='sm-there', shell='mkdir /var/mail/sm-there; '
                 'chown sm-there /var/mail/sm-there'),
            Case('sm-there-extension', 'sm-there2+x', users='sm-there2', shell='mkdir -m 700 '
                 '/var/mail/sm-there2; chown sm-there2 /var/mail/sm-there2')]),
        Group('mailbox_command', {**plus, 'mailbox_command': MACROS, 'home_mailbox': 'Box'},
              boxes('m') + [
                  Case('m-hostile', '"m-a+`id`;$(id)"@mail.test', users='m-a'),
                  Case('m-hostile-sender', 'm-a', users='m-a', sender='"`id`;$(id)"@other.test')]),
        Group('mailbox_command_maps', {**plus, 'mailbox_command_maps': COMMAND_MAP,
                                       'mailbox_command': f'{RECORD} other "$EXTENSION" a'},
              boxes('n') + [Case('n-in-map', 'n-map', users='n-map'),
                            Case('n-in-map-extension', 'n-map+x', users='n-map'),
                            Case('n-fails', 'n-fails', users='n-fails')]),
        Group('mailbox_transport', {**plus, 'mailbox_transport': 'error:5.2.0 closed',
                                    'mailbox_transport_maps':
                                    'inline:{{ t-b = error:5.2.1 moved }}',
                                    'mailbox_command': RECORD}, boxes('t')),
        Group('fallback_transport', {**plus, 'fallback_transport': 'error:5.1.6 gone',
                                     'fallback_transport_maps':
                                     'inline:{{ v-one = error:5.1.0 one }}',
                                     'luser_relay': 'ann'},
              boxes('v') + [Case('v-one', 'v-one'), Case('v-one-upper', 'V-One'),
                            Case('v-one-extension', 'v-one+x')]),
    ]


def relay_cases(prefix):
    return [
        Case(f'{prefix}-unknown', f'{prefix}-nobody'),
        Case(f'{prefix}-unknown-upper', f'{prefix.upper()}-Nobody'),
        Case(f'{prefix}-unknown-ext', f'{prefix}-nobody+x'),
        Case(f'{prefix}-known', 'ann'),
        Case(f'{prefix}-of-alias', f'{prefix}-al', aliases=f'{prefix}-al: {prefix}-gone\n'),
        Case(f'{prefix}-of-forward', f'{prefix}-u', users=f'{prefix}-u',
             files=[forward(f'{prefix}-u', f'{prefix}-lost\n')]),
        Case(f'{prefix}-backslash', f'\\{prefix}-nobody2'),
    ]


def luser_groups():
    plus = {'recipient_delimiter': '+'}
    everything = '$user.$local.$domain.${extension?x}@other.test'
    return [
        Group('luser-user', {**plus, 'luser_relay': 'ann'}, relay_cases('lu')),
        Group('luser-expanded', {**plus, 'luser_relay': everything}, relay_cases('lx')),
        Group('luser-extension', {**plus, 'luser_relay': 'ann+$local'}, relay_cases('le')),
        Group('luser-unknown', {**plus, 'luser_relay': 'no-such-relay'}, relay_cases('ln')),
        Group('luser-file', {**plus, 'luser_relay': f'{OUT}/luser'}, relay_cases('lf')[:3]),
    ]


def restriction_cases(prefix):
    return [
        alias(f'{prefix}-ac', BOX),
        alias(f'{prefix}-af', f'{OUT}/{prefix}-af'),
        fwd(f'{prefix}-fc', f'{BOX}\n'),
        fwd(f'{prefix}-ff', '~/inbox\n'),
        fwd(f'{prefix}-fc-and-own', f'{BOX}, \\{prefix}-fc-and-own\n'),
        include(f'{prefix}-ic', f'{BOX}\n'),
        include(f'{prefix}-if', f'{OUT}/{prefix}-if\n'),
        include(f'{prefix}-ic-u', f'{BOX}\n', owner='ann'),
        include(f'{prefix}-if-u', f'{OUT}/{prefix}-if-u\n', owner='ann'),
        include(f'{prefix}-nc', f':include:{LISTS}/{prefix}-nc2\n',
                files=[File(f'{LISTS}/{prefix}-nc2', f'{BOX}\n')]),
        fwd(f'{prefix}-fi', f':include:{LISTS}/{prefix}-fi\n',
            files=[File(f'{LISTS}/{prefix}-fi', f'{BOX}\n')]),
    ]


BY_USER = f'''by-c: {BOX}
by-f: {OUT}/by-f
by-h: /home/ann/by-h
by-a: ben
by-i: :include:{LISTS}/by-i
by-o: ann, no-such-user
owner-by-o: ben
by-root: /root/by
'''
SECOND = '''m2-first: ben
m2-second: ben
owner-m2-split: cat
m2-chain2: ann
'''

ALIAS_MAPS = [
    Case('maps-first', 'm2-first', aliases='m2-first: ann\n', files=[File('/srv/second', SECOND)]),
    Case('maps-second', 'm2-second'),
    Case('maps-neither', 'm2-neither'),
    Case('maps-owner', 'm2-split', aliases='m2-split: no-such-user\n'),
    Case('maps-chain', 'm2-chain', aliases='m2-chain: m2-chain2\n'),
    # The owner of an alias file is who its commands and files are.
    Case('by-user-command', 'by-c', files=[File('/srv/ann/aliases', BY_USER, owner='ann')],
         shell='chown ann /srv/ann'),
    Case('by-user-file', 'by-f'), Case('by-user-home', 'by-h'), Case('by-user-address', 'by-a'),
    Case('by-user-include', 'by-i', files=[File(f'{LISTS}/by-i', f'ann, {BOX}\n')]),
    Case('by-user-owner', 'by-o'), Case('by-user-root-file', 'by-root'),
    Case('by-user-via', 'by-v', aliases='by-v: by-c\n'),
]

NO_POSTMASTER = [
    Case('postmaster-without-alias', 'postmaster'),
    Case('postmaster-upper', 'POSTMASTER'),
    Case('mailer-daemon-without-alias', 'mailer-daemon'),
    Case('mailer-daemon-upper', 'MAILER-DAEMON'),
    Case('postmaster-null-sender', 'postmaster', sender=''),
    Case('double-bounce', 'double-bounce'),
    Case('abuse-without-alias', 'abuse'),
]


def alias_groups():
    ann = {'sender': 'ann@mail.test'}   # no alias takes notices there
    return [
        Group('allow-nothing', {'allow_mail_to_commands': '', 'allow_mail_to_files': 'alias'},
              restriction_cases('an')),
        Group('allow-alias', {'allow_mail_to_commands': 'alias', 'allow_mail_to_files': 'alias'},
              restriction_cases('aa')),
        Group('allow-all', {'allow_mail_to_commands': 'alias, forward, include',
                            'allow_mail_to_files': 'alias, forward, include'},
              restriction_cases('al')),
        Group('alias_maps', {'alias_maps':
                             'hash:/etc/aliases, hash:/srv/second, hash:/srv/ann/aliases'},
              ALIAS_MAPS),
        Group('alias_maps-missing', {'alias_maps': 'hash:/etc/aliases, hash:/srv/absent'}, [
            Case('maps-absent-known', 'm3-known', aliases='m3-known: \\ann\n'),
            Case('maps-absent-unknown', 'm3-unknown')]),
        # A file with a line that is none: what becomes of it, and of the others.
        Group('aliases-malformed', {}, [alias('a-empty', ''), alias('a-beside-empty', 'ann')]),
        Group('no-postmaster', {}, NO_POSTMASTER, postmaster=False),
        Group('no-aliases', {'alias_maps': ''}, [
            Case('no-aliases-user', 'ann', **ann),
            Case('no-aliases-unknown', 'na-nobody', **ann),
            Case('no-aliases-postmaster', 'postmaster', **ann),
            Case('no-aliases-backslash', '\\ben', **ann)]),
        Group('reset_owner_alias', {'reset_owner_alias': 'yes'}, [
            Case('reset-nested', 'ro', aliases='ro: ann, ro-in\nowner-ro: ben\n'
                 'ro-in: cat, no-such-user\n'),
            Case('reset-include', 'rp', aliases=f'rp: rp-in\nowner-rp: ben\n'
                 f'rp-in: :include:{LISTS}/sw-i\n',
                 files=[File(f'{LISTS}/sw-i', 'ann\nno-such-user\n')])]),
        Group('owner_request_special-no', {'owner_request_special': 'no',
                                           'recipient_delimiter': '-'}, [
            Case('special-owner', 'owner-sp', aliases='sp: ann\nowner-sp: ben\n', users='owner'),
            Case('special-failing', 'sq', aliases='sq: no-such\nowner-sq: ben\n'),
            Case('special-request', 'ann-request')]),
    ]


HERE = f'#!/bin/sh\nexec {RECORD} "$@"\n'

# Settings that do not meet in one case may share a main.cf.
SWITCHES_A = {'frozen_delivered_to': 'no', 'enable_original_recipient': 'no',
              'command_execution_directory': '$home', 'require_home_directory': 'yes'}
CASES_A = [
    alias('fz-chain', '', aliases='fz-chain: fz-two\nfz-two: ann\n'),
    fwd('fz-forward', 'ann\n'),
    Case('fz-loop', 'ann', header='Delivered-To: ann@mail.test\n'),
    alias('fz-remote', 'someone@other.test'),
    alias('or-a', 'ann'), alias('or-c', BOX), Case('or-two', ['or-a', 'ann']),
    Case('home-there', 'rh-a', users='rh-a'),
    Case('home-missing', 'rh-b', users='rh-b', shell='rm -r /home/rh-b'),
    Case('home-of-other', 'rh-c', users='rh-c', shell='chown ben /home/rh-c'),
    Case('home-is-file', 'rh-d', users='rh-d', shell='rm -r /home/rh-d; touch /home/rh-d'),
    fwd('xd-forward', f'{BOX}\n'), alias('xd-alias', BOX),
    fwd('xd-relative', '"|./here a"\n', files=[File('~xd-relative/here', HERE, 0o755)]),
]

SWITCHES_B = {'prepend_delivered_header': 'command', 'local_command_shell': '/bin/sh -c',
              'default_privs': 'ben', 'command_time_limit': '3s',
              'mydestination': 'mail.test, localhost, second.test'}
CASES_B = [
    alias('pc-c', BOX), alias('pc-f', f'{OUT}/pc-f'), fwd('pc-w', 'ann\n'),
    alias('sh-plain', f'"|{RECORD} a \'b c\'"'), alias('sh-shell', f'"|{RECORD} $LOCAL; true"'),
    alias('dp-c', BOX), alias('dp-f', f'{OUT}/dp-f'), alias('dp-home', '/home/ben/dp-home'),
    alias('tl-sleep', '"|sleep 30"'), alias('tl-quick', BOX),
    alias('tl-background', f'"|(sleep 10; {RECORD} x) & exit 0"'),
    Case('second-domain', 'ann@second.test'),
    alias('sd-alias', 'ann@second.test', to='sd-alias@second.test'),
    alias('sd-command', BOX, to='sd-command@Second.Test'),
]

SWITCHES_C = {'prepend_delivered_header': '', 'expand_owner_alias': 'yes',
              'recipient_delimiter': '+',
              'command_expansion_filter': 'abcdefghijklmnopqrstuvwxyz@.'}
CASES_C = [
    alias('pn-c', BOX), alias('pn-f', f'{OUT}/pn-f'), fwd('pn-w', 'ann\n'),
    Case('expand-one', 'xo', aliases='xo: ann, no-such-user\nowner-xo: ben\n'),
    Case('expand-two', 'xp', aliases='xp: ann, no-such-user\nowner-xp: ben, cat\n'),
    Case('expand-chain', 'xq', aliases='xq: ann, no-such-user\nowner-xq: xq-boss\n'
         'xq-boss: cat\n'),
    Case('expand-remote', 'xr', aliases='xr: ann\nowner-xr: boss@other.test\n'),
    alias('ef-one', BOX, to='ef-one+XyZ1'),
]


def root_group(name, text):
    return Group(f'root-{name}', {}, [Case(f'root-{name}', 'root', files=[
        File('/root/.forward', text)])])


MAILBOXES = [
    Case('mailbox-missing-spool-link', 'mb-a', users='mb-a', shell='ln -s /srv/x /var/mail/mb-a'),
    Case('mailbox-hard-link', 'mb-b', users='mb-b', shell='touch /home/mb-b/x; '
         'chown mb-b:mail /home/mb-b/x; ln /home/mb-b/x /var/mail/mb-b'),
    Case('mailbox-fifo', 'mb-c', users='mb-c', shell='mkfifo /var/mail/mb-c; '
         'chown mb-c /var/mail/mb-c'),
    Case('mailbox-directory', 'mb-d', users='mb-d', shell='mkdir /var/mail/mb-d; '
         'chown mb-d /var/mail/mb-d'),
    Case('mailbox-of-other', 'mb-e', users='mb-e', shell='touch /var/mail/mb-e; '
         'chown ben:mail /var/mail/mb-e'),
    Case('mailbox-of-root', 'mb-f', users='mb-f', shell='touch /var/mail/mb-f'),
    Case('mailbox-executable', 'mb-g', users='mb-g', shell='touch /var/mail/mb-g; '
         'chown mb-g:mail /var/mail/mb-g; chmod 700 /var/mail/mb-g'),
    Case('mailbox-mode-kept', 'mb-h', users='mb-h', shell='touch /var/mail/mb-h; '
         'chown mb-h:mb-h /var/mail/mb-h; chmod 644 /var/mail/mb-h'),
    Case('mailbox-without-end', 'mb-i', users='mb-i', shell='printf "From x\\n\\nbody" '
         '> /var/mail/mb-i; chown mb-i:mail /var/mail/mb-i'),
    Case('mailbox-locked', 'mb-j', users='mb-j', shell='touch /var/mail/mb-j.lock'),
    Case('mailbox-lock-dated-back', 'mb-k', users='mb-k', shell='touch -d "1 hour ago" '
         '/var/mail/mb-k.lock'),
    Case('size-over', 'z-b', users='z-b',
         shell='head -c 199900 /dev/zero > /var/mail/z-b; chown z-b:mail /var/mail/z-b'),
    Case('size-over-already', 'z-c', users='z-c',
         shell='head -c 200100 /dev/zero > /var/mail/z-c; chown z-c:mail /var/mail/z-c'),
    Case('size-file', 'z-f', aliases=f'z-f: {OUT}/z-f\n',
         files=[File(f'{OUT}/z-f', 'x' * 199900, 0o666)]),
]

GROUPS = [
    Group('plain', {}, PLAIN),
    Group('delimiter', {'recipient_delimiter': '+'}, DELIMITER),
    Group('propagate-nothing', {'recipient_delimiter': '+',
                                'propagate_unmatched_extensions': ''}, PROPAGATION),
    Group('propagate-all', {'recipient_delimiter': '+', 'propagate_unmatched_extensions':
                            'canonical, virtual, alias, forward, include'}, PROPAGATION),
    Group('delimiter-set', {'recipient_delimiter': '+='}, SET),
    Group('delimiter-dash', {'recipient_delimiter': '-'}, DASH),
    Group('forward_path', {'recipient_delimiter': '+', 'forward_path':
                           '/srv/forward/$user${recipient_delimiter}${extension} '
                           '/srv/forward/$user $home/.fwd-$local '
                           '${extension?$home/.fwd-$extension} $home/.fwd-$domain $home/.forward'},
          FORWARD_PATH),
    *mailbox_groups(),
    *luser_groups(),
    *alias_groups(),
    Group('switches-a', SWITCHES_A, CASES_A),
    Group('switches-b', SWITCHES_B, CASES_B),
    Group('switches-c', SWITCHES_C, CASES_C),
    root_group('command', f'{BOX}\n'),
    root_group('everything', f'ann, \\root, {BOX}, /root/inbox, {OUT}/root\n'),
    Group('mailboxes', {'deliver_lock_attempts': '2', 'mailbox_size_limit': '200000',
                        'message_size_limit': '4000'}, MAILBOXES),
]
