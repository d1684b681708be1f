# Completion of certkeeper for bash, made by: certkeeper completion bash

_certkeeper() {
    local at=certkeeper cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} i
    # bash makes words of their own of the = in --config=FILE
    [[ $prev == = && COMP_CWORD -gt 1 ]] && prev=${COMP_WORDS[COMP_CWORD - 2]}
    [[ $cur == = ]] && cur=
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$at ${COMP_WORDS[i]}" in
            'certkeeper run' | \
            'certkeeper issue' | \
            'certkeeper plan' | \
            'certkeeper status' | \
            'certkeeper init' | \
            'certkeeper prune' | \
            'certkeeper heal' | \
            'certkeeper unlock' | \
            'certkeeper config' | \
            'certkeeper config show' | \
            'certkeeper config check' | \
            'certkeeper config convert' | \
            'certkeeper doctor' | \
            'certkeeper self-check' | \
            'certkeeper dns' | \
            'certkeeper dns doctor' | \
            'certkeeper dns test' | \
            'certkeeper dns caa' | \
            'certkeeper dns persist' | \
            'certkeeper dns cleanup' | \
            'certkeeper account' | \
            'certkeeper account show' | \
            'certkeeper account register' | \
            'certkeeper account update' | \
            'certkeeper account roll-key' | \
            'certkeeper account deactivate' | \
            'certkeeper account recover' | \
            'certkeeper account import' | \
            'certkeeper revoke' | \
            'certkeeper sign' | \
            'certkeeper check' | \
            'certkeeper ocsp' | \
            'certkeeper ocsp show' | \
            'certkeeper ocsp fetch' | \
            'certkeeper ocsp check' | \
            'certkeeper deploy' | \
            'certkeeper retire' | \
            'certkeeper alert' | \
            'certkeeper timer' | \
            'certkeeper rehearse' | \
            'certkeeper report' | \
            'certkeeper daemon' | \
            'certkeeper hold' | \
            'certkeeper activate' | \
            'certkeeper rollback' | \
            'certkeeper versions' | \
            'certkeeper why' | \
            'certkeeper history' | \
            'certkeeper tlsa' | \
            'certkeeper tlsa check' | \
            'certkeeper tlsa status' | \
            'certkeeper tlsa roll' | \
            'certkeeper tlsa compromise' | \
            'certkeeper tlsa retire' | \
            'certkeeper tlsa generate' | \
            'certkeeper schema' | \
            'certkeeper explain' | \
            'certkeeper completion' | \
            'certkeeper pdns-hook' | \
            'certkeeper dehydrated')
                at+=" ${COMP_WORDS[i]}" ;;
        esac
    done
    case "$at $prev" in
        'certkeeper run --config' | \
        'certkeeper run -f' | \
        'certkeeper issue --config' | \
        'certkeeper issue -f' | \
        'certkeeper plan --config' | \
        'certkeeper plan -f' | \
        'certkeeper status --config' | \
        'certkeeper status -f' | \
        'certkeeper init --dns-key-file' | \
        'certkeeper init --out' | \
        'certkeeper init -o' | \
        'certkeeper prune --config' | \
        'certkeeper prune -f' | \
        'certkeeper heal --config' | \
        'certkeeper heal -f' | \
        'certkeeper unlock --config' | \
        'certkeeper unlock -f' | \
        'certkeeper config show --config' | \
        'certkeeper config show -f' | \
        'certkeeper config check --config' | \
        'certkeeper config check -f' | \
        'certkeeper config convert --config' | \
        'certkeeper config convert -f' | \
        'certkeeper config convert --out' | \
        'certkeeper config convert -o' | \
        'certkeeper doctor --config' | \
        'certkeeper doctor -f' | \
        'certkeeper self-check --config' | \
        'certkeeper self-check -f' | \
        'certkeeper dns doctor --config' | \
        'certkeeper dns doctor -f' | \
        'certkeeper dns test --config' | \
        'certkeeper dns test -f' | \
        'certkeeper dns caa --config' | \
        'certkeeper dns caa -f' | \
        'certkeeper dns persist --config' | \
        'certkeeper dns persist -f' | \
        'certkeeper dns cleanup --config' | \
        'certkeeper dns cleanup -f' | \
        'certkeeper account show --config' | \
        'certkeeper account show -f' | \
        'certkeeper account register --config' | \
        'certkeeper account register -f' | \
        'certkeeper account update --config' | \
        'certkeeper account update -f' | \
        'certkeeper account roll-key --config' | \
        'certkeeper account roll-key -f' | \
        'certkeeper account deactivate --config' | \
        'certkeeper account deactivate -f' | \
        'certkeeper account recover --config' | \
        'certkeeper account recover -f' | \
        'certkeeper account import --config' | \
        'certkeeper account import -f' | \
        'certkeeper revoke --config' | \
        'certkeeper revoke -f' | \
        'certkeeper sign --config' | \
        'certkeeper sign -f' | \
        'certkeeper sign --out' | \
        'certkeeper check --config' | \
        'certkeeper check -f' | \
        'certkeeper check --ca-bundle' | \
        'certkeeper ocsp show --config' | \
        'certkeeper ocsp show -f' | \
        'certkeeper ocsp fetch --config' | \
        'certkeeper ocsp fetch -f' | \
        'certkeeper ocsp check --config' | \
        'certkeeper ocsp check -f' | \
        'certkeeper deploy --config' | \
        'certkeeper deploy -f' | \
        'certkeeper deploy --deploy-config' | \
        'certkeeper retire --config' | \
        'certkeeper retire -f' | \
        'certkeeper alert --config' | \
        'certkeeper alert -f' | \
        'certkeeper timer --config' | \
        'certkeeper timer -f' | \
        'certkeeper rehearse --config' | \
        'certkeeper rehearse -f' | \
        'certkeeper report --config' | \
        'certkeeper report -f' | \
        'certkeeper report --html' | \
        'certkeeper daemon --config' | \
        'certkeeper daemon -f' | \
        'certkeeper hold --config' | \
        'certkeeper hold -f' | \
        'certkeeper activate --config' | \
        'certkeeper activate -f' | \
        'certkeeper rollback --config' | \
        'certkeeper rollback -f' | \
        'certkeeper versions --config' | \
        'certkeeper versions -f' | \
        'certkeeper why --config' | \
        'certkeeper why -f' | \
        'certkeeper history --config' | \
        'certkeeper history -f' | \
        'certkeeper tlsa check --config' | \
        'certkeeper tlsa check -f' | \
        'certkeeper tlsa status --config' | \
        'certkeeper tlsa status -f' | \
        'certkeeper tlsa roll --config' | \
        'certkeeper tlsa roll -f' | \
        'certkeeper tlsa compromise --config' | \
        'certkeeper tlsa compromise -f' | \
        'certkeeper tlsa retire --config' | \
        'certkeeper tlsa retire -f')
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            return
            ;;
        'certkeeper issue --alias' | \
        'certkeeper init --ca' | \
        'certkeeper init --contact' | \
        'certkeeper init --domains' | \
        'certkeeper init --dns-server' | \
        'certkeeper init --deploy' | \
        'certkeeper init --root' | \
        'certkeeper dns persist --until' | \
        'certkeeper dns persist --days' | \
        'certkeeper dns persist --ca' | \
        'certkeeper account show --ca' | \
        'certkeeper account register --ca' | \
        'certkeeper account update --contact' | \
        'certkeeper account update --ca' | \
        'certkeeper account roll-key --ca' | \
        'certkeeper account deactivate --ca' | \
        'certkeeper account recover --ca' | \
        'certkeeper account import --ca' | \
        'certkeeper revoke --reason' | \
        'certkeeper revoke --ca' | \
        'certkeeper sign --ca' | \
        'certkeeper check --max-age' | \
        'certkeeper check --warning' | \
        'certkeeper check --critical' | \
        'certkeeper check --timeout' | \
        'certkeeper rehearse --days' | \
        'certkeeper rehearse --every' | \
        'certkeeper rehearse --outage' | \
        'certkeeper rehearse --revoked' | \
        'certkeeper daemon --every' | \
        'certkeeper activate --version' | \
        'certkeeper rollback --to' | \
        'certkeeper history --days' | \
        'certkeeper history -n' | \
        'certkeeper history --number' | \
        'certkeeper tlsa check --warning' | \
        'certkeeper tlsa check --critical' | \
        'certkeeper tlsa check --timeout' | \
        'certkeeper tlsa generate --types' | \
        'certkeeper tlsa generate --ttl' | \
        'certkeeper tlsa generate --timeout')
            return
            ;;
        'certkeeper init --dns')
            mapfile -t COMPREPLY < <(compgen -W 'powerdns rfc2136 none' -- "$cur")
            return
            ;;
        'certkeeper check --family')
            mapfile -t COMPREPLY < <(compgen -W 'any rsa ecdsa both' -- "$cur")
            return
            ;;
    esac
    case $at in
        'certkeeper')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --version' -- "$cur")
            else
                mapfile -t COMPREPLY < <(compgen -W 'run issue plan status init prune heal unlock config doctor self-check dns account revoke sign check ocsp deploy retire alert timer rehearse report daemon hold activate rollback versions why history tlsa schema explain completion pdns-hook dehydrated' -- "$cur")
            fi
            ;;
        'certkeeper run')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --wait-lock --accept-terms --quiet -q --only-changes --plain --force -x --allow-test-ca-live --staging' -- "$cur")
            fi
            ;;
        'certkeeper issue')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --alias --accept-terms --quiet -q --only-changes --plain --force -x --allow-test-ca-live' -- "$cur")
            fi
            ;;
        'certkeeper plan')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --force -x --allow-test-ca-live --staging --json' -- "$cur")
            fi
            ;;
        'certkeeper status')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --all --json' -- "$cur")
            fi
            ;;
        'certkeeper init')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --ca --contact --domains --dns --dns-server --dns-key-file --deploy --out -o --root --yes -y' -- "$cur")
            fi
            ;;
        'certkeeper prune')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --dry-run' -- "$cur")
            fi
            ;;
        'certkeeper heal')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config' -- "$cur")
            fi
            ;;
        'certkeeper unlock')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config' -- "$cur")
            fi
            ;;
        'certkeeper config')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help' -- "$cur")
            else
                mapfile -t COMPREPLY < <(compgen -W 'show check convert' -- "$cur")
            fi
            ;;
        'certkeeper config show')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --json' -- "$cur")
            fi
            ;;
        'certkeeper config check')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --json' -- "$cur")
            fi
            ;;
        'certkeeper config convert')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --out -o' -- "$cur")
            fi
            ;;
        'certkeeper doctor')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --json' -- "$cur")
            fi
            ;;
        'certkeeper self-check')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --json' -- "$cur")
            fi
            ;;
        'certkeeper dns')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help' -- "$cur")
            else
                mapfile -t COMPREPLY < <(compgen -W 'doctor test caa persist cleanup' -- "$cur")
            fi
            ;;
        'certkeeper dns doctor')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --fix --json --yes -y' -- "$cur")
            fi
            ;;
        'certkeeper dns test')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config' -- "$cur")
            fi
            ;;
        'certkeeper dns caa')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --json' -- "$cur")
            fi
            ;;
        'certkeeper dns persist')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --json --write --remove --wildcard --until --days --ca --yes -y' -- "$cur")
            fi
            ;;
        'certkeeper dns cleanup')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --dry-run --yes -y' -- "$cur")
            fi
            ;;
        'certkeeper account')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help' -- "$cur")
            else
                mapfile -t COMPREPLY < <(compgen -W 'show register update roll-key deactivate recover import' -- "$cur")
            fi
            ;;
        'certkeeper account show')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --json --ca' -- "$cur")
            fi
            ;;
        'certkeeper account register')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --accept-terms --ca' -- "$cur")
            fi
            ;;
        'certkeeper account update')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --contact --ca' -- "$cur")
            fi
            ;;
        'certkeeper account roll-key')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --ca' -- "$cur")
            fi
            ;;
        'certkeeper account deactivate')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --yes -y --ca' -- "$cur")
            fi
            ;;
        'certkeeper account recover')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --ca' -- "$cur")
            fi
            ;;
        'certkeeper account import')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --accept-terms --ca' -- "$cur")
            else
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            return
            fi
            ;;
        'certkeeper revoke')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --reason --by-certificate-key --yes -y --ca' -- "$cur")
            else
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            return
            fi
            ;;
        'certkeeper sign')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --out --yes -y --accept-terms --ca' -- "$cur")
            else
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            return
            fi
            ;;
        'certkeeper check')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --max-age --warning --critical --family --timeout --ca-bundle --json' -- "$cur")
            fi
            ;;
        'certkeeper ocsp')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help' -- "$cur")
            else
                mapfile -t COMPREPLY < <(compgen -W 'show fetch check' -- "$cur")
            fi
            ;;
        'certkeeper ocsp show')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --json' -- "$cur")
            fi
            ;;
        'certkeeper ocsp fetch')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --json --force -x' -- "$cur")
            fi
            ;;
        'certkeeper ocsp check')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --json' -- "$cur")
            fi
            ;;
        'certkeeper deploy')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --fix-permissions --deploy-config' -- "$cur")
            fi
            ;;
        'certkeeper retire')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --force -x --revoke --yes -y' -- "$cur")
            fi
            ;;
        'certkeeper alert')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config' -- "$cur")
            else
                mapfile -t COMPREPLY < <(compgen -W 'test' -- "$cur")
            fi
            ;;
        'certkeeper timer')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --daemon --write' -- "$cur")
            fi
            ;;
        'certkeeper rehearse')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --days --every --outage --revoked --json' -- "$cur")
            fi
            ;;
        'certkeeper report')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --html --look' -- "$cur")
            fi
            ;;
        'certkeeper daemon')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --every' -- "$cur")
            fi
            ;;
        'certkeeper hold')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config' -- "$cur")
            fi
            ;;
        'certkeeper activate')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --version' -- "$cur")
            fi
            ;;
        'certkeeper rollback')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --to' -- "$cur")
            fi
            ;;
        'certkeeper versions')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --json' -- "$cur")
            fi
            ;;
        'certkeeper why')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --json' -- "$cur")
            fi
            ;;
        'certkeeper history')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --days -n --number --json' -- "$cur")
            fi
            ;;
        'certkeeper tlsa')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help' -- "$cur")
            else
                mapfile -t COMPREPLY < <(compgen -W 'check status roll compromise retire generate' -- "$cur")
            fi
            ;;
        'certkeeper tlsa check')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --warning --critical --timeout --json' -- "$cur")
            fi
            ;;
        'certkeeper tlsa status')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --json' -- "$cur")
            fi
            ;;
        'certkeeper tlsa roll')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --now --yes' -- "$cur")
            fi
            ;;
        'certkeeper tlsa compromise')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --now --yes' -- "$cur")
            fi
            ;;
        'certkeeper tlsa retire')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --config -f --source-config --undo' -- "$cur")
            fi
            ;;
        'certkeeper tlsa generate')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help --types --ttl --timeout --powerdns --json' -- "$cur")
            else
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            return
            fi
            ;;
        'certkeeper schema')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help' -- "$cur")
            else
                mapfile -t COMPREPLY < <(compgen -W 'account check config-check config-show dns-caa dns-doctor dns-persist doctor history ocsp plan rehearse self-check status tlsa-check tlsa-generate tlsa-status versions why' -- "$cur")
            fi
            ;;
        'certkeeper explain')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help' -- "$cur")
            fi
            ;;
        'certkeeper completion')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help' -- "$cur")
            else
                mapfile -t COMPREPLY < <(compgen -W 'bash zsh fish' -- "$cur")
            fi
            ;;
        'certkeeper pdns-hook')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help' -- "$cur")
            fi
            ;;
        'certkeeper dehydrated')
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '-h --help' -- "$cur")
            fi
            ;;
    esac
}

complete -F _certkeeper certkeeper
