/** A short soft sound for those who asked for it; made on the spot, so nothing is downloaded. */

let audio: AudioContext | undefined;

export function ring(): void {
  audio ??= new AudioContext();
  const now = audio.currentTime;
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.frequency.value = 880;
  volume.gain.value = 0.08;
  volume.gain.setTargetAtTime(0, now, 0.08);
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(now + 0.5);
}
