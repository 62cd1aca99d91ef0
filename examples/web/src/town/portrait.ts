/** A face, drawn by ourselves, as parameters. Colours are CSS colours. */
export interface Portrait {
  ground: string
  skin: string
  hair: string
  shirt: string
  style: 'short' | 'long' | 'curly' | 'bun' | 'bald' | 'scarf'
  beard?: true
  glasses?: true
}

const side = 160

/** Draws a portrait as a small square picture. */
export async function drawPortrait(portrait: Portrait): Promise<Uint8Array> {
  const canvas = new OffscreenCanvas(side, side)
  const pen = canvas.getContext('2d')
  if (!pen) throw new Error('this browser draws nothing')
  pen.fillStyle = portrait.ground
  pen.fillRect(0, 0, side, side)
  drawBehind(pen, portrait)
  oval(pen, portrait.shirt, 80, 168, 58, 46)
  oval(pen, portrait.skin, 80, 118, 15, 24)
  oval(pen, portrait.skin, 80, 76, 33, 40)
  drawFace(pen, portrait)
  drawHair(pen, portrait)
  const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.85 })
  return new Uint8Array(await blob.arrayBuffer())
}

type Pen = OffscreenCanvasRenderingContext2D

function oval(pen: Pen, colour: string, x: number, y: number, width: number, height: number): void {
  pen.fillStyle = colour
  pen.beginPath()
  pen.ellipse(x, y, width, height, 0, 0, Math.PI * 2)
  pen.fill()
}

/** Draws what is behind the head. */
function drawBehind(pen: Pen, { style, hair }: Portrait): void {
  if (style === 'long') oval(pen, hair, 80, 92, 46, 62)
  if (style === 'scarf') oval(pen, hair, 80, 92, 48, 64)
  if (style === 'bun') oval(pen, hair, 80, 26, 18, 16)
  if (style !== 'curly') return
  for (let turn = 0; turn < 9; turn++) {
    const angle = Math.PI * (0.9 + (turn / 8) * 1.2)
    oval(pen, hair, 80 + Math.cos(angle) * 38, 72 + Math.sin(angle) * 36, 18, 18)
  }
}

function drawFace(pen: Pen, { hair, beard, glasses }: Portrait): void {
  if (beard) {
    pen.fillStyle = hair
    pen.beginPath()
    pen.ellipse(80, 92, 31, 27, 0, 0, Math.PI)
    pen.fill()
  }
  for (const x of [67, 93]) oval(pen, '#2b1d14', x, 74, 3.4, 4)
  pen.strokeStyle = beard ? '#f2d9c9' : '#7d3b30'
  pen.lineWidth = 3
  pen.lineCap = 'round'
  pen.beginPath()
  pen.arc(80, 88, 11, 0.25 * Math.PI, 0.75 * Math.PI)
  pen.stroke()
  if (!glasses) return
  pen.strokeStyle = '#23303a'
  for (const x of [67, 93]) {
    pen.beginPath()
    pen.arc(x, 74, 10, 0, Math.PI * 2)
    pen.stroke()
  }
  pen.beginPath()
  pen.moveTo(77, 74)
  pen.lineTo(83, 74)
  pen.stroke()
}

/** Draws what is in front of the forehead: the upper half of an oval. */
function drawHair(pen: Pen, { style, hair }: Portrait): void {
  if (style === 'bald') return
  pen.fillStyle = hair
  pen.beginPath()
  pen.ellipse(80, 60, 35, 30, 0, Math.PI, Math.PI * 2)
  pen.fill()
  if (style !== 'scarf') return
  pen.strokeStyle = hair
  pen.lineWidth = 12
  pen.beginPath()
  pen.ellipse(80, 78, 37, 46, 0, 0, Math.PI * 2)
  pen.stroke()
}
