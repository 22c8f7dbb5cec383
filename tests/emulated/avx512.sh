#!/bin/sh
# avx512.sh [LINUX [CASES]]: the CPU kernels in AVX-512 on a machine without it: a minimal build in build-avx512, run by Bochs, which emulates a
# whole computer, under the Linux kernel LINUX (default: the newest in /boot; nothing else of that system takes part). Debian's packages:
# bochs bochsbios bochs-term vgabios isolinux syslinux-common xorriso cpio busybox-static. Takes minutes. Bochs 2.7 rounds float16 that lies in the
# middle away from zero, whatever the mode: what is stored to float16 there is within the bounds, but need not have the bits.
set -eu
cd "$(dirname "$0")/../.."
linux=${1:-$(ls -t /boot/vmlinuz-* 2>/dev/null | head -n 1)}
if [ ! -r "$linux" ]; then
  echo "avx512.sh: LINUX = '$linux': expected the file of a Linux kernel" >&2
  exit 2
fi
build=build-avx512
[ -f $build/build.ninja ] || meson setup $build -Dminimal=true -Dcuda=disabled -Dwerror=true >/dev/null
meson compile -C $build -j 1 verify/ropepp-verify >/dev/null
cc -O2 -shared -fPIC -DFAULT_TURN_SIGN -Iverify verify/examples/attention.c -o $build/wrong.so -lm

# What the computer starts: Linux, and in memory the programs and their libraries.
machine=$build/machine
rm -rf $machine
mkdir -p $machine/files/bin $machine/disc
cp /bin/busybox tests/emulated/judge.sh $build/verify/ropepp-verify $build/wrong.so $machine/files/bin
strip $machine/files/bin/ropepp-verify
for library in $(ldd $build/verify/ropepp-verify | grep -o '/[^ ]*'); do
  mkdir -p "$machine/files$(dirname "$library")"
  cp -L "$library" "$machine/files$library"
done
cat >$machine/files/init <<END
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /dev /tmp
/bin/busybox mount -t proc none /proc
/bin/busybox mount -t devtmpfs none /dev
/bin/busybox --install /bin
export PATH=/bin OMP_NUM_THREADS=1
sh /bin/judge.sh avx512 ${2:-20} /bin/wrong.so ropepp-verify
echo "avx512.sh: exit status \$?"
sleep 1 # for the serial line to say it
poweroff -f
END
chmod +x $machine/files/init
(cd $machine/files && find . | cpio -o -H newc --quiet) | gzip -1 >$machine/disc/files.gz
cp "$linux" $machine/disc/linux
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 $machine/disc
# Bochs counts the room of XSAVEC's compact form wrongly, and then Linux turns off AVX and all that came after it.
cat >$machine/disc/isolinux.cfg <<END
default linux
label linux
  kernel linux
  append initrd=files.gz console=ttyS0 quiet loglevel=1 nosmp nokaslr mitigations=off tsc=reliable lpj=1000000 clearcpuid=xsavec,xsaves,pku
END
xorriso -as mkisofs -quiet -o $machine/disc.iso -b isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table $machine/disc

cat >$machine/bochsrc <<END
cpu: model=corei7_skylake_x, ips=50000000
megs: 1024
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path=$machine/disc.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$machine/said
display_library: term
log: $machine/log
clock: sync=none
END
echo continue >$machine/commands # Debian's Bochs starts in its debugger
TERM=vt100 timeout 900 bochs -q -f $machine/bochsrc -rc $machine/commands >$machine/screen 2>&1 </dev/null || true # powering off is an error to it
cat $machine/said
grep -q '^avx512.sh: exit status 0' $machine/said
