/*
 * main.c: devices, the program of this chapter: a PC small enough to read, and a guest
 * on it. The board with every device is pc.c; this is its case: power, terminal, guest.
 *
 * The guest is a flat binary at 0x1000 that starts in 32-bit protected mode, without
 * paging (02-protected-mode/entry.h), with 16 MiB of RAM from address 0. At the end of
 * 4 GiB, where a processor fetches its first instruction and a PC has its firmware, is a
 * ROM of HLT instructions.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "01-kvm-hello/exits.h"
#include "01-kvm-hello/payload.h"
#include "02-protected-mode/entry.h"
#include "04-devices/console.h"
#include "04-devices/display.h"
#include "04-devices/event_loop.h"
#include "04-devices/observer.h"
#include "04-devices/pc.h"
#include "04-devices/rom.h"
#include "04-devices/settings.h"
#include "04-devices/signals.h"
#include "common/die.h"
#include "common/embed.h"
#include "common/term.h"

#define RAM_SIZE         (16 * MIB)
#define ROM_START        UINT64_C(0xfffff000)
#define ROM_SIZE         4096u
#define HLT              0xf4
#define STACK_SIZE       (4 * KIB) /* kept free above the guest */
#define GUEST_MAX        (ENTRY_STACK - STACK_SIZE - ENTRY_PAYLOAD)
#define CPUID_1_EDX_APIC (1u << 9) /* [SDM2, "CPUID"] */

EMBED(devices_hello_bin, "04-devices/hello.bin");

/* All of the program. Large, and nothing in it may move. */
static struct pc pc;
static struct console console;
static struct display display;
static struct observer observer;

/* With the text screen on the terminal, what the serial port says goes nowhere. */
static size_t swallow(void *self, const uint8_t *bytes, size_t count)
{
    (void)self, (void)bytes;
    return count;
}

static void attach(const struct settings *settings)
{
    struct byte_sink out = settings->screen ? (struct byte_sink){.put = swallow}
                                            : console_sink(&console);
    struct pc_options options = {.irqchip = settings->irqchip,
                                 .debug_exit = settings->debug_exit,
                                 .serial = out,
                                 .debug = out};

    pc_attach(&pc, &options);
}

static void add_rom(struct vm *vm)
{
    uint8_t rom[ROM_SIZE];

    memset(rom, HLT, sizeof rom);
    rom_add(vm, ROM_START, rom, sizeof rom);
}

/* Without KVM's chips there is no local APIC; the guest shall not look for one. */
static void hide_apic(struct kvm_cpuid2 *cpuid)
{
    for (unsigned i = 0; i < cpuid->nent; i++)
        if (cpuid->entries[i].function == 1)
            cpuid->entries[i].edx &= ~CPUID_1_EDX_APIC;
}

/* The payload, and a processor that stands at its first instruction. */
static void load_guest(const struct settings *settings)
{
    struct machine *machine = &pc.machine;
    struct vcpu *vcpu = &machine_add_processor(machine, 0)->vcpu;
    struct kvm_cpuid2 *cpuid = vm_supported_cpuid(&machine->vm);
    struct kvm_sregs sregs;
    struct kvm_regs regs;

    payload_load(&machine->vm.memory, ENTRY_PAYLOAD, GUEST_MAX, settings->guest, devices_hello_bin,
                 (size_t)(devices_hello_bin_end - devices_hello_bin));
    entry_tables(&machine->vm.memory);
    if (settings->irqchip == IRQCHIP_USER)
        hide_apic(cpuid);
    vcpu_set_cpuid(vcpu, cpuid);
    free(cpuid);
    vcpu_get_sregs(vcpu, &sregs);
    entry_protected(&regs, &sregs);
    vcpu_set_sregs(vcpu, &sregs);
    vcpu_set_regs(vcpu, &regs);
}

static void time_is_over(void *self)
{
    machine_end(self, ENDING_LIMIT);
}

static void set_limit(double seconds)
{
    struct alarm alarm = machine_alarm(&pc.machine, time_is_over, &pc.machine);
    struct clock clock = machine_clock(&pc.machine);

    if (seconds > 0)
        alarm_set(&alarm, clock_now(&clock) + (int64_t)(seconds * 1e9));
}

static enum ending run(const struct settings *settings, int signals)
{
    pthread_mutex_t *lock = &pc.machine.devices.lock;
    enum ending ending;

    term_raw(STDIN_FILENO);
    if (settings->screen) {
        display_init(&display, &pc, &console);
        console_attach_end(&console, display_end(&display), lock);
    } else {
        console_attach(&console, &pc.serial, lock);
    }
    ending = event_loop_run(&pc.machine, &console, signals);
    if (settings->screen) {
        display_finish(&display);
        console_flush(&console);
    }
    console_detach(&console);
    term_restore();
    return ending;
}

static void report(enum ending ending, const struct settings *settings)
{
    char codes[POST_TEXT_MAX];

    if (ending == ENDING_LIMIT)
        warn("stopped after %g s", settings->limit);
    if (ending == ENDING_CRASH || ending == ENDING_STUCK ||
        (ending == ENDING_SIGNAL && signals_asked_where()))
        machine_report(stderr, &pc.machine);
    post_text(&pc.post, codes);
    if (ending != ENDING_OFF && ending != ENDING_QUIT && *codes)
        warn("last POST codes: %s", codes);
    if (pc.debug.lost)
        warn("%llu bytes to the debug console found no room", (unsigned long long)pc.debug.lost);
}

int main(int argc, char **argv)
{
    struct settings settings = settings_parse(argc, argv, GUEST_MAX);
    int signals = signals_take(), wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int trace = -1;
    struct refusal why;
    enum ending ending;

    if (wake < 0)
        die("eventfd failed: %s", strerror(errno));
    console_init(&console, STDIN_FILENO, STDOUT_FILENO, wake);
    machine_init(&pc.machine, wake);
    vm_add_ram(&pc.machine.vm, 0, RAM_SIZE);
    add_rom(&pc.machine.vm);
    attach(&settings);
    load_guest(&settings);
    pc_collect(&pc);
    set_limit(settings.limit);
    if (settings.trace)
        trace = trace_create(settings.trace, &why);
    if ((settings.trace && trace < 0) ||
        observer_open(&observer, &pc.machine, trace, settings.stats, &why) < 0)
        die("--trace %s", why.text);

    ending = run(&settings, signals);

    report(ending, &settings);
    observer_close(&observer);
    pc_detach(&pc);
    machine_free(&pc.machine);
    console_free(&console);
    if (ending == ENDING_SIGNAL)
        signals_die(signals);
    return pc.status >= 0 ? pc.status : (int)ending_status(ending);
}
