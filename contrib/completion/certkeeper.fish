# Completion of certkeeper for fish, made by: certkeeper completion fish

# Whether these are the commands that were typed so far.
function __certkeeper_at
    set -l at
    for word in (commandline --current-process --tokenize --cut-at-cursor)[2..]
        if contains -- "$at $word" $__certkeeper_commands
            set at "$at $word"
        end
    end
    test "$at" = "$argv"
end

set -g __certkeeper_commands \
    ' run' \
    ' issue' \
    ' plan' \
    ' status' \
    ' prune' \
    ' heal' \
    ' unlock' \
    ' config' \
    ' config show' \
    ' config check' \
    ' config convert' \
    ' doctor' \
    ' dns' \
    ' dns doctor' \
    ' dns test' \
    ' dns caa' \
    ' dns persist' \
    ' dns cleanup' \
    ' account' \
    ' account show' \
    ' account register' \
    ' account update' \
    ' account roll-key' \
    ' account deactivate' \
    ' account recover' \
    ' account import' \
    ' revoke' \
    ' sign' \
    ' check' \
    ' ocsp' \
    ' ocsp show' \
    ' ocsp fetch' \
    ' ocsp check' \
    ' deploy' \
    ' retire' \
    ' alert' \
    ' timer' \
    ' rehearse' \
    ' hold' \
    ' activate' \
    ' rollback' \
    ' versions' \
    ' why' \
    ' tlsa' \
    ' tlsa check' \
    ' tlsa status' \
    ' tlsa roll' \
    ' tlsa compromise' \
    ' tlsa retire' \
    ' tlsa generate' \
    ' completion' \
    ' pdns-hook' \
    ' dehydrated'

complete -c certkeeper -f
complete -c certkeeper -n '__certkeeper_at ""' -a run -d 'issue every certificate that is due'
complete -c certkeeper -n '__certkeeper_at ""' -a issue -d 'issue one certificate for these names'
complete -c certkeeper -n '__certkeeper_at ""' -a plan -d 'show what a run would do, and why'
complete -c certkeeper -n '__certkeeper_at ""' -a status -d 'show the certificates that are there'
complete -c certkeeper -n '__certkeeper_at ""' -a prune -d 'remove old versions'
complete -c certkeeper -n '__certkeeper_at ""' -a heal -d 'mend certificates whose files do not belong together'
complete -c certkeeper -n '__certkeeper_at ""' -a unlock -d 'remove the lock of a killed run'
complete -c certkeeper -n '__certkeeper_at ""' -a config -d 'show, check and convert the configuration'
complete -c certkeeper -n '__certkeeper_at ""' -a doctor -d 'all that is wrong: files, zones, CA'
complete -c certkeeper -n '__certkeeper_at ""' -a dns -d 'look at zones, mend them, try them out'
complete -c certkeeper -n '__certkeeper_at ""' -a account -d 'look at the account at the CA, or change it'
complete -c certkeeper -n '__certkeeper_at ""' -a revoke -d 'have the CA revoke a certificate'
complete -c certkeeper -n '__certkeeper_at ""' -a sign -d 'have the CA sign somebody else\'s request'
complete -c certkeeper -n '__certkeeper_at ""' -a check -d 'shake hands with services and judge what they show'
complete -c certkeeper -n '__certkeeper_at ""' -a ocsp -d 'OCSP responses for servers to send along'
complete -c certkeeper -n '__certkeeper_at ""' -a deploy -d 'give services what is live'
complete -c certkeeper -n '__certkeeper_at ""' -a retire -d 'take out a certificate that is no longer listed'
complete -c certkeeper -n '__certkeeper_at ""' -a alert -d 'try out the alerts'
complete -c certkeeper -n '__certkeeper_at ""' -a timer -d 'print units for systemd and a line for cron'
complete -c certkeeper -n '__certkeeper_at ""' -a rehearse -d 'play the renewals of days to come'
complete -c certkeeper -n '__certkeeper_at ""' -a hold -d 'keep new versions from going live by themselves'
complete -c certkeeper -n '__certkeeper_at ""' -a activate -d 'make the staged version live'
complete -c certkeeper -n '__certkeeper_at ""' -a rollback -d 'make the version before live again'
complete -c certkeeper -n '__certkeeper_at ""' -a versions -d 'list the versions of a certificate'
complete -c certkeeper -n '__certkeeper_at ""' -a why -d 'why a certificate is due or is not, and what it waits for'
complete -c certkeeper -n '__certkeeper_at ""' -a tlsa -d 'TLSA records (DANE)'
complete -c certkeeper -n '__certkeeper_at ""' -a completion -d 'print completion for a shell'
complete -c certkeeper -n '__certkeeper_at ""' -a pdns-hook -d 'dehydrated\'s HOOK for PowerDNS'
complete -c certkeeper -n '__certkeeper_at ""' -a dehydrated -d 'do what dehydrated does, with its words'
complete -c certkeeper -n '__certkeeper_at ""' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at ""' -l version -d 'show program\'s version number and exit'
complete -c certkeeper -n '__certkeeper_at " run"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " run"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " run"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " run"' -l wait-lock -d 'wait, up to an hour, while another run holds the lock'
complete -c certkeeper -n '__certkeeper_at " run"' -l accept-terms -d 'agree to the CA\'s terms of service (once per CA)'
complete -c certkeeper -n '__certkeeper_at " run"' -l quiet -s q -d 'print problems only, as cron jobs want it'
complete -c certkeeper -n '__certkeeper_at " run"' -l force -s x -d 'renew although nothing is due, or although it failed just now'
complete -c certkeeper -n '__certkeeper_at " run"' -l allow-test-ca-live -d 'put certificates of a test CA where services read, and call hooks (default: they go to TEST_CERTDIR)'
complete -c certkeeper -n '__certkeeper_at " issue"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " issue"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " issue"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " issue"' -l alias -x -d 'name of the certificate and of its folder (default: NAME)'
complete -c certkeeper -n '__certkeeper_at " issue"' -l accept-terms -d 'agree to the CA\'s terms of service (once per CA)'
complete -c certkeeper -n '__certkeeper_at " issue"' -l quiet -s q -d 'print problems only, as cron jobs want it'
complete -c certkeeper -n '__certkeeper_at " issue"' -l force -s x -d 'renew although nothing is due, or although it failed just now'
complete -c certkeeper -n '__certkeeper_at " issue"' -l allow-test-ca-live -d 'put certificates of a test CA where services read, and call hooks (default: they go to TEST_CERTDIR)'
complete -c certkeeper -n '__certkeeper_at " plan"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " plan"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " plan"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " plan"' -l force -s x -d 'renew although nothing is due, or although it failed just now'
complete -c certkeeper -n '__certkeeper_at " plan"' -l allow-test-ca-live -d 'put certificates of a test CA where services read, and call hooks (default: they go to TEST_CERTDIR)'
complete -c certkeeper -n '__certkeeper_at " plan"' -l json -d 'print JSON instead of text'
complete -c certkeeper -n '__certkeeper_at " status"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " status"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " status"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " status"' -l all -d 'list all, also where the terminal has too few lines'
complete -c certkeeper -n '__certkeeper_at " status"' -l json -d 'print JSON instead of text'
complete -c certkeeper -n '__certkeeper_at " prune"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " prune"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " prune"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " prune"' -l dry-run -d 'only say what would be removed'
complete -c certkeeper -n '__certkeeper_at " heal"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " heal"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " heal"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " unlock"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " unlock"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " unlock"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " config"' -a show -d 'what counts, and where it comes from'
complete -c certkeeper -n '__certkeeper_at " config"' -a check -d 'all that is wrong with the files'
complete -c certkeeper -n '__certkeeper_at " config"' -a convert -d 'the same as a certkeeper.toml'
complete -c certkeeper -n '__certkeeper_at " config"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " config show"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " config show"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " config show"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " config show"' -l json -d 'print JSON instead of text'
complete -c certkeeper -n '__certkeeper_at " config check"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " config check"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " config check"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " config check"' -l json -d 'print JSON instead of text'
complete -c certkeeper -n '__certkeeper_at " config convert"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " config convert"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " config convert"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " config convert"' -l out -s o -r -F -d 'write it, with its secrets, into this new file'
complete -c certkeeper -n '__certkeeper_at " doctor"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " doctor"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " doctor"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " doctor"' -l json -d 'print JSON instead of text'
complete -c certkeeper -n '__certkeeper_at " dns"' -a doctor -d 'say what is wrong with the zones'
complete -c certkeeper -n '__certkeeper_at " dns"' -a test -d 'try a zone out with a record of its own'
complete -c certkeeper -n '__certkeeper_at " dns"' -a caa -d 'propose CAA records'
complete -c certkeeper -n '__certkeeper_at " dns"' -a persist -d 'records that stand, and prove names at any time'
complete -c certkeeper -n '__certkeeper_at " dns"' -a cleanup -d 'remove challenge records that were left'
complete -c certkeeper -n '__certkeeper_at " dns"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " dns doctor"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " dns doctor"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " dns doctor"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " dns doctor"' -l fix -d 'mend what can be mended without changing a record'
complete -c certkeeper -n '__certkeeper_at " dns doctor"' -l json -d 'print JSON instead of text'
complete -c certkeeper -n '__certkeeper_at " dns doctor"' -l yes -s y -d 'do not ask'
complete -c certkeeper -n '__certkeeper_at " dns test"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " dns test"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " dns test"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " dns caa"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " dns caa"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " dns caa"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " dns caa"' -l json -d 'print JSON instead of text'
complete -c certkeeper -n '__certkeeper_at " dns persist"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " dns persist"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " dns persist"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " dns persist"' -l json -d 'print JSON instead of text'
complete -c certkeeper -n '__certkeeper_at " dns persist"' -l write -d 'write the record that is needed'
complete -c certkeeper -n '__certkeeper_at " dns persist"' -l remove -d 'take away the records of our account'
complete -c certkeeper -n '__certkeeper_at " dns persist"' -l wildcard -d 'write it for *.NAME, too'
complete -c certkeeper -n '__certkeeper_at " dns persist"' -l until -x -d 'write it so that it ends with that day: 2027-12-31'
complete -c certkeeper -n '__certkeeper_at " dns persist"' -l days -x -d 'write it so that it ends in that many days'
complete -c certkeeper -n '__certkeeper_at " dns persist"' -l ca -x -d 'a preset or the URL of a directory (default: CA of the page)'
complete -c certkeeper -n '__certkeeper_at " dns persist"' -l yes -s y -d 'do not ask'
complete -c certkeeper -n '__certkeeper_at " dns cleanup"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " dns cleanup"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " dns cleanup"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " dns cleanup"' -l dry-run -d 'only say what would be removed'
complete -c certkeeper -n '__certkeeper_at " dns cleanup"' -l yes -s y -d 'do not ask'
complete -c certkeeper -n '__certkeeper_at " account"' -a show -d 'show the account as the CA has it'
complete -c certkeeper -n '__certkeeper_at " account"' -a register -d 'make an account'
complete -c certkeeper -n '__certkeeper_at " account"' -a update -d 'change the contact'
complete -c certkeeper -n '__certkeeper_at " account"' -a roll-key -d 'give the account a new key'
complete -c certkeeper -n '__certkeeper_at " account"' -a deactivate -d 'give the account up for good'
complete -c certkeeper -n '__certkeeper_at " account"' -a recover -d 'find the account of the key that is there'
complete -c certkeeper -n '__certkeeper_at " account"' -a import -d 'take over an account\'s key'
complete -c certkeeper -n '__certkeeper_at " account"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " account show"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " account show"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " account show"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " account show"' -l json -d 'print JSON instead of text'
complete -c certkeeper -n '__certkeeper_at " account show"' -l ca -x -d 'a preset or the URL of a directory (default: CA of the page)'
complete -c certkeeper -n '__certkeeper_at " account register"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " account register"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " account register"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " account register"' -l accept-terms -d 'agree to the CA\'s terms of service'
complete -c certkeeper -n '__certkeeper_at " account register"' -l ca -x -d 'a preset or the URL of a directory (default: CA of the page)'
complete -c certkeeper -n '__certkeeper_at " account update"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " account update"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " account update"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " account update"' -l contact -x -d 'a mail address, in the place of CONTACT_EMAIL; may be repeated; an empty one leaves no contact'
complete -c certkeeper -n '__certkeeper_at " account update"' -l ca -x -d 'a preset or the URL of a directory (default: CA of the page)'
complete -c certkeeper -n '__certkeeper_at " account roll-key"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " account roll-key"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " account roll-key"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " account roll-key"' -l ca -x -d 'a preset or the URL of a directory (default: CA of the page)'
complete -c certkeeper -n '__certkeeper_at " account deactivate"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " account deactivate"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " account deactivate"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " account deactivate"' -l yes -s y -d 'do not ask'
complete -c certkeeper -n '__certkeeper_at " account deactivate"' -l ca -x -d 'a preset or the URL of a directory (default: CA of the page)'
complete -c certkeeper -n '__certkeeper_at " account recover"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " account recover"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " account recover"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " account recover"' -l ca -x -d 'a preset or the URL of a directory (default: CA of the page)'
complete -c certkeeper -n '__certkeeper_at " account import"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " account import"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " account import"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " account import"' -l accept-terms -d 'agree to the CA\'s terms of service'
complete -c certkeeper -n '__certkeeper_at " account import"' -l ca -x -d 'a preset or the URL of a directory (default: CA of the page)'
complete -c certkeeper -n '__certkeeper_at " account import"' -F
complete -c certkeeper -n '__certkeeper_at " revoke"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " revoke"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " revoke"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " revoke"' -l reason -x -d 'unspecified (0, the default), keyCompromise (1), affiliationChanged (3), superseded (4) or cessationOfOperation (5)'
complete -c certkeeper -n '__certkeeper_at " revoke"' -l by-certificate-key -d 'sign with the certificate\'s key, not the account\'s; keyCompromise does so where the key is there'
complete -c certkeeper -n '__certkeeper_at " revoke"' -l yes -s y -d 'do not ask'
complete -c certkeeper -n '__certkeeper_at " revoke"' -l ca -x -d 'a preset or the URL of a directory (default: CA of the page)'
complete -c certkeeper -n '__certkeeper_at " revoke"' -F
complete -c certkeeper -n '__certkeeper_at " sign"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " sign"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " sign"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " sign"' -l out -r -F -d 'where the chain goes, instead of standard output'
complete -c certkeeper -n '__certkeeper_at " sign"' -l yes -s y -d 'replace FILE without a question'
complete -c certkeeper -n '__certkeeper_at " sign"' -l accept-terms -d 'agree to the CA\'s terms of service (once per CA)'
complete -c certkeeper -n '__certkeeper_at " sign"' -l ca -x -d 'a preset or the URL of a directory (default: CA of the page)'
complete -c certkeeper -n '__certkeeper_at " sign"' -F
complete -c certkeeper -n '__certkeeper_at " check"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " check"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " check"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " check"' -l warning -x -d 'warn when no more are left (14)'
complete -c certkeeper -n '__certkeeper_at " check"' -l critical -x -d 'critical when no more are left (3; not more than --warning)'
complete -c certkeeper -n '__certkeeper_at " check"' -l family -x -a 'any rsa ecdsa both' -d 'which certificate of a server with two of them is asked for, up to TLS 1.2 (default: any)'
complete -c certkeeper -n '__certkeeper_at " check"' -l timeout -x -d 'for each handshake (10)'
complete -c certkeeper -n '__certkeeper_at " check"' -l ca-bundle -r -F -d 'the roots that count (default: CA_BUNDLE, or the system\'s)'
complete -c certkeeper -n '__certkeeper_at " check"' -l json -d 'print JSON instead of text'
complete -c certkeeper -n '__certkeeper_at " ocsp"' -a show -d 'show the responses that are kept'
complete -c certkeeper -n '__certkeeper_at " ocsp"' -a fetch -d 'ask for responses that are due, and keep them'
complete -c certkeeper -n '__certkeeper_at " ocsp"' -a check -d 'ask the responders what they say now'
complete -c certkeeper -n '__certkeeper_at " ocsp"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " ocsp show"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " ocsp show"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " ocsp show"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " ocsp show"' -l json -d 'print JSON instead of text'
complete -c certkeeper -n '__certkeeper_at " ocsp fetch"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " ocsp fetch"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " ocsp fetch"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " ocsp fetch"' -l json -d 'print JSON instead of text'
complete -c certkeeper -n '__certkeeper_at " ocsp fetch"' -l force -s x -d 'ask although nothing is due'
complete -c certkeeper -n '__certkeeper_at " ocsp check"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " ocsp check"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " ocsp check"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " ocsp check"' -l json -d 'print JSON instead of text'
complete -c certkeeper -n '__certkeeper_at " deploy"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " deploy"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " deploy"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " deploy"' -l fix-permissions -d 'owner, group and mode of certificates\' files, and no more'
complete -c certkeeper -n '__certkeeper_at " deploy"' -l deploy-config -r -F -d 'root\'s file that describes services, in the place of /etc/certkeeper/deploy.toml'
complete -c certkeeper -n '__certkeeper_at " retire"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " retire"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " retire"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " retire"' -l force -s x -d 'although the configuration of a service names it'
complete -c certkeeper -n '__certkeeper_at " retire"' -l revoke -d 'have the CA revoke it first (cessationOfOperation)'
complete -c certkeeper -n '__certkeeper_at " retire"' -l yes -s y -d 'do not ask'
complete -c certkeeper -n '__certkeeper_at " alert"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " alert"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " alert"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " alert"' -a 'test'
complete -c certkeeper -n '__certkeeper_at " timer"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " timer"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " timer"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " timer"' -l write -d 'write the units to /etc/systemd/system'
complete -c certkeeper -n '__certkeeper_at " rehearse"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " rehearse"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " rehearse"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " rehearse"' -l days -x -d 'how many days (default: 365)'
complete -c certkeeper -n '__certkeeper_at " rehearse"' -l every -x -d 'hours from one run to the next (default: 12)'
complete -c certkeeper -n '__certkeeper_at " rehearse"' -l outage -x -d 'the CAs are away for N days from DAY on'
complete -c certkeeper -n '__certkeeper_at " rehearse"' -l revoked -x -d 'the CAs want all replaced on that day'
complete -c certkeeper -n '__certkeeper_at " rehearse"' -l json -d 'print JSON instead of text'
complete -c certkeeper -n '__certkeeper_at " hold"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " hold"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " hold"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " activate"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " activate"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " activate"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " activate"' -l version -x -d 'that version, whatever names it has'
complete -c certkeeper -n '__certkeeper_at " rollback"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " rollback"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " rollback"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " rollback"' -l to -x -d 'that version, and not the one before'
complete -c certkeeper -n '__certkeeper_at " versions"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " versions"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " versions"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " versions"' -l json -d 'print JSON instead of text'
complete -c certkeeper -n '__certkeeper_at " why"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " why"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " why"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " tlsa"' -a check -d 'compare records with what services show'
complete -c certkeeper -n '__certkeeper_at " tlsa"' -a status -d 'where the page\'s TLSA records stand'
complete -c certkeeper -n '__certkeeper_at " tlsa"' -a roll -d 'use the next key now'
complete -c certkeeper -n '__certkeeper_at " tlsa"' -a compromise -d 'give a key up that others have'
complete -c certkeeper -n '__certkeeper_at " tlsa"' -a retire -d 'withdraw a certificate\'s TLSA records'
complete -c certkeeper -n '__certkeeper_at " tlsa"' -a generate -d 'print records for a chain, a key or a server'
complete -c certkeeper -n '__certkeeper_at " tlsa"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " tlsa check"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " tlsa check"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " tlsa check"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " tlsa check"' -l warning -x -d 'warn when no more are left (14)'
complete -c certkeeper -n '__certkeeper_at " tlsa check"' -l critical -x -d 'critical when no more are left (3; not more than --warning)'
complete -c certkeeper -n '__certkeeper_at " tlsa check"' -l timeout -x -d 'for each handshake (10)'
complete -c certkeeper -n '__certkeeper_at " tlsa check"' -l json -d 'print JSON instead of text'
complete -c certkeeper -n '__certkeeper_at " tlsa status"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " tlsa status"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " tlsa status"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " tlsa status"' -l json -d 'print JSON instead of text'
complete -c certkeeper -n '__certkeeper_at " tlsa roll"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " tlsa roll"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " tlsa roll"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " tlsa roll"' -l now -d 'whatever caches hold: some clients fail'
complete -c certkeeper -n '__certkeeper_at " tlsa roll"' -l yes -d 'do not ask'
complete -c certkeeper -n '__certkeeper_at " tlsa compromise"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " tlsa compromise"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " tlsa compromise"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " tlsa compromise"' -l now -d 'whatever caches hold: some clients fail'
complete -c certkeeper -n '__certkeeper_at " tlsa compromise"' -l yes -d 'do not ask'
complete -c certkeeper -n '__certkeeper_at " tlsa retire"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " tlsa retire"' -l config -s f -r -F -d 'dehydrated\'s config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)'
complete -c certkeeper -n '__certkeeper_at " tlsa retire"' -l source-config -d 'have bash evaluate the config files, commands and functions included (default: nothing is executed)'
complete -c certkeeper -n '__certkeeper_at " tlsa retire"' -l undo -d 'publish them again'
complete -c certkeeper -n '__certkeeper_at " tlsa generate"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " tlsa generate"' -l types -x -d 'what to publish: 311, or \'311 211\' (311)'
complete -c certkeeper -n '__certkeeper_at " tlsa generate"' -l ttl -x -d 'the records\' TTL (3600)'
complete -c certkeeper -n '__certkeeper_at " tlsa generate"' -l timeout -x -d 'for a server (10)'
complete -c certkeeper -n '__certkeeper_at " tlsa generate"' -l powerdns -d 'print what PowerDNS\'s API takes, for --types only'
complete -c certkeeper -n '__certkeeper_at " tlsa generate"' -l json -d 'print JSON instead of text'
complete -c certkeeper -n '__certkeeper_at " tlsa generate"' -F
complete -c certkeeper -n '__certkeeper_at " completion"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " completion"' -a 'bash zsh fish'
complete -c certkeeper -n '__certkeeper_at " pdns-hook"' -s h -l help -d 'show this help message and exit'
complete -c certkeeper -n '__certkeeper_at " dehydrated"' -s h -l help -d 'show this help message and exit'
