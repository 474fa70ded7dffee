# chapters/07-linux-boot/man/completion.bash - bash completes the options of vmm and vmm-img.
#
#     . completion.bash        or in /usr/share/bash-completion/completions/vmm
#
# What may follow -device, -netdev, -chardev and -cpu is asked of the vmm itself. A test
# compares the list of options with the program's.

_vmm() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} vmm=${COMP_WORDS[0]}
    local options='-kernel -initrd -append -M -machine -cpu -m -mem-path -mem-prealloc -smp
        -drive -hda -cdrom -snapshot -nic -netdev -serial -chardev -monitor -device -name -vnc
        -gdb -s -S -no-reboot -nographic -daemonize -pidfile -sandbox -runas -chroot -jail -trace
        -stats -version -help -h'

    case ${before/#--/-} in
    -kernel | -initrd | -hda | -cdrom | -trace | -pidfile)
        mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    -sandbox)
        mapfile -t COMPREPLY < <(compgen -W 'on off help on,discs=' -- "$word") ;;
    -runas)
        mapfile -t COMPREPLY < <(compgen -u -- "$word") ;;
    -chroot | -mem-path)
        mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
    -M | -machine)
        mapfile -t COMPREPLY < <(compgen -W 'pc microvm' -- "$word") ;;
    -cpu)
        mapfile -t COMPREPLY < <(compgen -W 'host max help' -- "$word") ;;
    -nic)
        mapfile -t COMPREPLY < <(compgen -W 'none user tap dgram' -- "$word") ;;
    -serial | -monitor)
        mapfile -t COMPREPLY < <(compgen -W 'stdio mon:stdio null none pty file: pipe: unix: tcp:
            chardev:' -- "$word") ;;
    -vnc)
        mapfile -t COMPREPLY < <(compgen -W 'none :0 :1 unix:' -- "$word") ;;
    -gdb)
        mapfile -t COMPREPLY < <(compgen -W 'tcp:: unix: pty chardev:' -- "$word") ;;
    -device | -netdev | -chardev)
        # "name: what it is" at a line's beginning
        mapfile -t COMPREPLY < <(compgen -W "help $("$vmm" "$before" help 2>/dev/null |
            sed -n 's/^\([^ :]*\): .*/\1/p')" -- "$word") ;;
    -drive)
        mapfile -t COMPREPLY < <(compgen -W 'file=' -- "$word") ;;
    -append | -m | -smp | -name)
        COMPREPLY=() ;;
    *)
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word") ;;
    esac
}

_vmm_img() {
    local word=${COMP_WORDS[COMP_CWORD]}

    case $COMP_CWORD:${COMP_WORDS[COMP_CWORD-1]} in
    1:*)
        mapfile -t COMPREPLY < <(compgen -W 'create info check convert compare commit resize' -- "$word") ;;
    *:-f | *:-F | *:-O)
        mapfile -t COMPREPLY < <(compgen -W 'raw qcow2' -- "$word") ;;
    *)
        mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    esac
}

complete -o nospace -F _vmm vmm
complete -F _vmm_img vmm-img
