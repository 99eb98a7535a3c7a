# Copies new files from an SFTP server to the input bucket. main.tf runs it in rclone's own image, whose
# shell is BusyBox; tests/terraform/test_sftp_pull.py runs it with a fake rclone.
#
# A file's version is `time;size;name`, as rclone lists it. When a version has been copied, an empty object
# with this name in the bucket of marks says so. Nothing else is remembered, so the script can end anywhere:
# - before the mark: the next run finds the same size and time in the input bucket, and only adds the mark;
# - after the mark: the next run only moves the file to the done folder.
# The name of a file that was copied before can therefore be used again: another version has no mark.
set -eu
export TZ=UTC
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '%s\n' "$KNOWN_HOSTS" >"$RCLONE_CONFIG_VENDOR_KNOWN_HOSTS_FILE"

root="vendor:${VENDOR_PATH:-.}"
target="input:$INPUT_BUCKET${FOLDER:+/$FOLDER}"
taken="input:$TAKEN_BUCKET"
failed=0

# The versions in a folder, without those from before SINCE. Programs that upload write to temporary names, which
# the function ignores too.
versions() {
  listed=0
  rclone lsf --recursive --files-only --format tsp --separator ';' --min-age "${MIN_AGE_MINUTES}m" \
    --exclude '.*' --exclude '*.{tmp,part,filepart,partial,crdownload}' \
    ${DONE_FOLDER:+--exclude "/$DONE_FOLDER/**"} "$1" >"$work/listed" || listed=1
  # Not by --max-age: rclone refuses one that is younger than --min-age.
  awk -F ';' -v since="$SINCE" '$1 >= since' "$work/listed"
  return "$listed"
}

# The lines of the second file that are in the first one (yes) or not (no).
lines_in() {
  awk -v wanted="$1" 'FILENAME == ARGV[1] { known[$0]; next } (($0 in known) ? "yes" : "no") == wanted' "$2" "$3"
}

take() {
  folder=$1
  # If one folder cannot be listed, the others are copied.
  versions "$folder" >"$work/all" || failed=1
  lines_in no "$work/marks" "$work/all" >"$work/new"
  if [ -s "$work/new" ]; then
    # An upload that is still running may have a time in the past if the clocks differ.
    sleep "$SETTLE_SECONDS"
    versions "$folder" >"$work/later" || failed=1
    lines_in yes "$work/new" "$work/later" >"$work/settled"
    while IFS= read -r version <&3; do
      copy "$folder" "$version" || failed=1
    done 3<"$work/settled"
  fi
}

copy() {
  folder=$1 version=$2
  name=${version#*;} name=${name#*;}
  # Does nothing if the input bucket has a file of this size and time.
  rclone copyto --no-update-modtime "$folder/$name" "$target/$name" || return 1
  if [ "$(rclone lsf --format ts --separator ';' "$folder/$name")" != "${version%";$name"}" ]; then
    echo "$name has changed meanwhile. The next run copies it again."
    return 0
  fi
  rclone touch "$taken/$version" || return 1
  echo "$version" >>"$work/marks"
  echo "Copied $name"
}

# Moves what is copied out of the way. A file that was replaced in this moment is moved too, but it has no
# mark, so the next run finds it in the done folder.
tidy() {
  versions "$root" >"$work/all" || failed=1
  lines_in yes "$work/marks" "$work/all" >"$work/finished"
  while IFS= read -r version <&3; do
    name=${version#*;} name=${name#*;}
    rclone moveto "$root/$name" "$root/$DONE_FOLDER/$name" || failed=1
  done 3<"$work/finished"
}

rclone lsf --recursive --files-only "$taken" >"$work/marks"
if [ -n "$DONE_FOLDER" ]; then
  rclone mkdir "$root/$DONE_FOLDER"
  take "$root/$DONE_FOLDER"
fi
take "$root"
if [ -n "$DONE_FOLDER" ]; then
  tidy
fi
exit "$failed"
